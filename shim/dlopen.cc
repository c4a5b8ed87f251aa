// SPDX-License-Identifier: MIT
// dlopen without RTLD_DEEPBIND. A library opened with that flag looks for malloc and free in libc
// first: the process has two heaps, and crashes when a block of one is freed in the other. PHP
// opens its extensions like this. The option `deepbind` keeps the flag.
//
// libc's dlopen takes the return address for its caller, whose RUNPATH, $ORIGIN and namespace
// count. So the entry jumps there with the caller's stack and link register; that takes machine
// code, and on other machines than these two there is no entry.
#if (defined(__x86_64__) && defined(__LP64__)) || defined(__aarch64__)

#include <dlfcn.h>

#include <atomic>
#include <cstdint>

#include "alloc/os/errno_keeper.h"
#include "shim/dlopen.h"

#if SPILLWAY_APART
// A static program has no other object to look in: its C library has dlopen under this name, too,
// with the caller as third argument. Null in a dynamic program.
// NOLINTNEXTLINE(readability-identifier-naming): glibc's name
extern "C" __attribute__((weak)) void* __dlopen(const char*, int, void*);
#endif

namespace {

void* not_found(const char*, int) { return nullptr; }

void* find_dlopen() {
#if SPILLWAY_APART
  if (__dlopen != nullptr) {
    return reinterpret_cast<void*>(__dlopen);
  }
#endif
  static constinit std::atomic<void*> found{nullptr};
  // relaxed: the address is all there is to read, and each thread finds the same one.
  void* address = found.load(std::memory_order_relaxed);
  if (address == nullptr) {
    address = dlsym(RTLD_NEXT, "dlopen");
    if (address == nullptr) {  // dlerror() says so to the caller
      return reinterpret_cast<void*>(not_found);
    }
    // relaxed: as above.
    found.store(address, std::memory_order_relaxed);
  }
  return address;
}

// Comes back in two registers.
struct Jump {
  void* target;
  int64_t flags;
};

}  // namespace

extern "C" __attribute__((visibility("hidden"), used)) Jump spillway_prepare_dlopen(
    int flags) noexcept {
  const spillway::os::ErrnoKeeper keeper;
  return {find_dlopen(), spillway_entry_dlopen_flags(flags)};
}

// void* dlopen(const char* path, int flags); the caller goes along as third argument.
#if defined(__x86_64__)
asm(R"(
  .pushsection .text.dlopen, "ax", @progbits
  .globl dlopen
  .type dlopen, @function
  .balign 16
dlopen:
  .cfi_startproc
  endbr64
  pushq %rdi
  .cfi_adjust_cfa_offset 8
  movl %esi, %edi
  callq spillway_prepare_dlopen
  popq %rdi
  .cfi_adjust_cfa_offset -8
  movl %edx, %esi
  movq (%rsp), %rdx
  jmpq *%rax
  .cfi_endproc
  .size dlopen, . - dlopen
  .popsection
)");
#else
asm(R"(
  .pushsection .text.dlopen, "ax", @progbits
  .globl dlopen
  .type dlopen, @function
  .balign 16
dlopen:
  .cfi_startproc
  hint #34  // bti c
  stp x0, x30, [sp, #-16]!
  .cfi_adjust_cfa_offset 16
  .cfi_rel_offset x30, 8
  mov w0, w1
  bl spillway_prepare_dlopen
  mov x16, x0
  ldp x0, x30, [sp], #16
  .cfi_adjust_cfa_offset -16
  .cfi_restore x30
  mov x2, x30
  br x16
  .cfi_endproc
  .size dlopen, . - dlopen
  .popsection
)");
#endif

#endif
