// SPDX-License-Identifier: MIT
// The entry by which a tool wakes a process whose threads sleep, or never come to a slow path: the
// way a debugger would, it stops a thread, sets it on here and lets go of it. As a signal handler
// does, this may come between any two instructions of the thread, which goes on as if nothing had
// been. The tool writes two words below the thread's red zone, the flags and above them the address
// to go on at, and has the stack pointer point to the flags. All else is still in the registers, so
// that from the one system call that sets them on the tool is not needed: it may be killed.
//
// Everything happens on a stack of its own, of zero pages: the thread's may be at its end. The bit
// `busy` gives it to one thread at a time; a second one goes straight back. A signal handler may
// run on it for the few instructions until signals are blocked, and after; one that does not
// return, but jumps, leaves it taken: no tool can wake this process again, and it says so.
//
// Of the vector registers, code for the x86-64 that all processors have changes no more than
// fxsave64 keeps.
#include "alloc/control/entry.h"

#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"

#if __x86_64__

namespace {
constexpr size_t kStackBytes = 65536;  // as below
}

extern "C" {
[[gnu::visibility("hidden"),
  gnu::used]] SPILLWAY_OWN_PAGES constinit char spillway_control_stack[kStackBytes] = {};
[[gnu::visibility("hidden"), gnu::used]] constinit unsigned spillway_control_busy = 0;
[[gnu::visibility("hidden"), gnu::used]] constinit void* spillway_control_return = nullptr;
}

namespace spillway::control {

void forget_entry_after_fork() {
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (here - reinterpret_cast<uintptr_t>(spillway_control_stack) >= kStackBytes) {
    spillway_control_busy = 0;
  }
}

}  // namespace spillway::control

asm(R"(
  .pushsection .text.spillway_control_entry, "ax", %progbits
  .p2align 4
  .globl spillway_control_entry
  .hidden spillway_control_entry
  .type spillway_control_entry, %function
spillway_control_entry:
  .cfi_startproc
  .cfi_signal_frame
  .cfi_undefined %rip
  lock btsl $0, spillway_control_busy(%rip)
  jc 1f
  mov %rsp, spillway_control_return(%rip)
  lea spillway_control_stack+65536(%rip), %rsp
  push %rax
  push %rbx
  push %rcx
  push %rdx
  push %rsi
  push %rdi
  push %rbp
  push %r8
  push %r9
  push %r10
  push %r11
  push %r12
  push %r13
  push %r14
  push %r15
  sub $520, %rsp
  fxsave64 (%rsp)
  cld
  call spillway_control_woken
  fxrstor64 (%rsp)
  add $520, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rbp
  pop %rdi
  pop %rsi
  pop %rdx
  pop %rcx
  pop %rbx
  pop %rax
  mov spillway_control_return(%rip), %rsp
  movl $0, spillway_control_busy(%rip)
1:
  popfq
  ret $128
  .cfi_endproc
  .size spillway_control_entry, . - spillway_control_entry
  .popsection
)");

#else

namespace spillway::control {

void forget_entry_after_fork() {}

}  // namespace spillway::control

#endif
