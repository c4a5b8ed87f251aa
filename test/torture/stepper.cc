// SPDX-License-Identifier: MIT
#include "stepper.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace torture {
namespace {

constexpr size_t kDebugRegister = offsetof(user, u_debugreg);
constexpr size_t kDebugControl = kDebugRegister + 7 * sizeof(user::u_debugreg[0]);
constexpr uint64_t kBreakOnExecution = 1;  // the first register's, one byte

uint64_t word_of_user(pid_t thread, size_t offset) {
  return static_cast<uint64_t>(ptrace(PTRACE_PEEKUSER, thread, offset, nullptr));
}

}  // namespace

bool Stepper::seize(pid_t thread) {
  thread_ = thread;
  return ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) == 0 &&
         ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 && await();
}

// The thread's next stop, or end.
bool Stepper::await() {
  int status = 0;
  while (waitpid(thread_, &status, __WALL) < 0) {
    if (errno != EINTR) {
      return false;
    }
  }
  if (!WIFSTOPPED(status)) {
    killed_by_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return false;
  }
  const bool is_event = status >> 16 != 0;
  pending_ = is_event || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
  pc_ = word_of_user(thread_, offsetof(user, regs.rip));
  return true;
}

bool Stepper::resume(int request, int signal) {
  const auto data = static_cast<long>(signal != 0 ? signal : pending_);
  pending_ = 0;
  return ptrace(static_cast<__ptrace_request>(request), thread_, nullptr, data) == 0 && await();
}

bool Stepper::step(int signal) { return resume(PTRACE_SINGLESTEP, signal); }

uint64_t Stepper::top_of_stack() const {
  const uint64_t stack = word_of_user(thread_, offsetof(user, regs.rsp));
  return static_cast<uint64_t>(ptrace(PTRACE_PEEKDATA, thread_, stack, nullptr));
}

bool Stepper::set_breakpoint(uint64_t address) {
  return ptrace(PTRACE_POKEUSER, thread_, kDebugRegister, address) == 0 &&
         ptrace(PTRACE_POKEUSER, thread_, kDebugControl, kBreakOnExecution) == 0;
}

void Stepper::clear_breakpoint() { ptrace(PTRACE_POKEUSER, thread_, kDebugControl, uint64_t{0}); }

bool Stepper::step_over(std::initializer_list<LibraryMap> callers) {
  const uint64_t back = top_of_stack();
  const bool known = std::any_of(callers.begin(), callers.end(),
                                 [back](const LibraryMap& caller) { return caller.holds(back); });
  trapped_ = false;
  if (!known || !set_breakpoint(back)) {
    return step();
  }
  bool alive = resume(PTRACE_CONT, 0);
  while (alive && pc_ != back) {
    trapped_ = trapped_ || is_behind_trap();
    alive = resume(PTRACE_CONT, 0);
  }
  if (alive) {
    clear_breakpoint();
  }
  return alive;
}

bool Stepper::is_behind_trap() const {
  constexpr uint64_t kTrap = 0xcc;
  const auto word = static_cast<uint64_t>(ptrace(PTRACE_PEEKTEXT, thread_, pc_ - 1, nullptr));
  return (word & 0xff) == kTrap;
}

bool Stepper::run_to_trap() {
  bool alive = resume(PTRACE_CONT, 0);
  while (alive && !is_behind_trap()) {
    alive = resume(PTRACE_CONT, 0);
  }
  return alive;
}

bool Stepper::was_called_from(uint64_t call) const {
  constexpr uint64_t kLongestCall = 8;
  const uint64_t back = top_of_stack();
  return back > call && back <= call + kLongestCall;
}

}  // namespace torture
