// SPDX-License-Identifier: MIT
// Prints, for each entry point on its fast path, the instructions of the preloaded library that one
// call executes: "library PATH", then lines "NAME OFFSET OFFSET ...", offsets hexadecimal from the
// library's base. The processor's trap flag raises SIGTRAP after every instruction, and the handler
// notes where: exact and repeatable, on any kernel. For scripts/check_instructions.
#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <new>

#ifndef __x86_64__
int main() {
  std::fputs("only x86-64 has a trap flag\n", stderr);
  return 77;
}
#else
#include <x86intrin.h>

namespace {

constexpr uint64_t kTrapFlag = 0x100;
constexpr size_t kMaxInstructions = 4096;

struct Range {
  uintptr_t begin;
  uintptr_t end;
};

Range library;  // its code
uintptr_t library_base;
uintptr_t trace[kMaxInstructions];
volatile size_t traced = 0;

void on_trap(int /*signal*/, siginfo_t* /*info*/, void* context) {
  const auto* registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  const auto next = static_cast<uintptr_t>(registers[REG_RIP]);
  const size_t count = traced;
  const bool repeats = count > 0 && trace[count - 1] == next;  // a rep-prefixed instruction
  if (next >= library.begin && next < library.end && !repeats && count < kMaxInstructions) {
    trace[count] = next;
    traced = count + 1;
  }
}

int find_code(dl_phdr_info* object, size_t /*size*/, void* /*argument*/) {
  for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    const uintptr_t begin = object->dlpi_addr + part.p_vaddr;
    const auto entry = reinterpret_cast<uintptr_t>(dlsym(RTLD_DEFAULT, "malloc"));
    if (part.p_type == PT_LOAD && entry >= begin && entry < begin + part.p_memsz) {
      library = {begin, begin + part.p_memsz};
      library_base = object->dlpi_addr;
      std::printf("library %s\n", object->dlpi_name);
      return 1;
    }
  }
  return 0;
}

constexpr size_t kSmall = 64;
constexpr size_t kPooled = 16384;
constexpr size_t kLargest = 1048576;

void* volatile block;

void nothing() {}
void take_small() { block = std::malloc(kSmall); }
void take_pooled() { block = std::malloc(kPooled); }
void take_largest() { block = std::malloc(kLargest); }
void take_aligned() { block = aligned_alloc(4096, kPooled); }
void drop() { std::free(block); }

struct Case {
  const char* name;
  void (*prepare)();
  void (*call)();
  void (*finish)() = drop;
};

const Case kCases[] = {
    {"malloc(16K)", nothing, take_pooled},
    {"malloc(1M)", nothing, take_largest},
    {"malloc(64)", nothing, take_small},
    {"free(16K)", take_pooled, drop, nothing},
    {"free(1M)", take_largest, drop, nothing},
    {"free(64)", take_small, drop, nothing},
    {"free(null)", nothing, [] { std::free(nullptr); }, nothing},
    {"calloc(1,16K)", nothing, [] { block = std::calloc(1, kPooled); }},
    {"realloc(16K,15K)", take_pooled, [] { block = std::realloc(block, kPooled - 1024); }},
    {"posix_memalign(64,16K)", nothing,
     [] {
       void* aligned = nullptr;
       if (posix_memalign(&aligned, 64, kPooled) == 0) {
         block = aligned;
       }
     }},
    {"aligned_alloc(4K,16K)", nothing, take_aligned},
    {"malloc_usable_size(16K)", take_pooled, [] { malloc_usable_size(block); }},
    {"operator_new(16K)", nothing, [] { block = ::operator new(kPooled); }},
    {"operator_new(64)", nothing, [] { block = ::operator new(kSmall); }},
    {"operator_delete(16K)", take_pooled, [] { ::operator delete(block); }, nothing},
    {"operator_delete(16K,size)", take_pooled, [] { ::operator delete(block, kPooled); }, nothing},
    {"operator_delete(64,size)", take_small, [] { ::operator delete(block, kSmall); }, nothing},
};

void trace_call(const Case& one) {
  one.prepare();
  traced = 0;
  __writeeflags(__readeflags() | kTrapFlag);
  one.call();
  __writeeflags(__readeflags() & ~kTrapFlag);
  const size_t count = traced;
  one.finish();
  std::printf("%s", one.name);
  for (size_t i = 0; i < count; ++i) {
    std::printf(" %zx", static_cast<size_t>(trace[i] - library_base));
  }
  std::printf("\n");
}

}  // namespace

int main() {
  // Its buffer now, not between two traced calls.
  static char buffer[1 << 16];
  std::setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  dl_iterate_phdr(find_code, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGTRAP, &action, nullptr);
  // The thread's cache and its bins fill.
  for (int round = 0; round < 100; ++round) {
    for (const auto& warm_up : {take_small, take_pooled, take_largest, take_aligned}) {
      warm_up();
      drop();
    }
  }
  for (const Case& one : kCases) {
    trace_call(one);
    trace_call(one);
  }
  return 0;
}
#endif
