// SPDX-License-Identifier: MIT
// The part of os.h that watches for refused accesses.
#include <signal.h>

#include <atomic>

#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"

namespace spillway::os {
namespace {

// relaxed: set before the handler is.
constinit std::atomic<void (*)(uintptr_t)> teller{nullptr};

// The access is repeated when the handler returns, and ends the process where it happened.
void on_fault(int signal, siginfo_t* information, void* /*context*/) {
  const ErrnoKeeper keeper;
  struct sigaction by_default = {};
  by_default.sa_handler = SIG_DFL;
  sigaction(signal, &by_default, nullptr);
  if (information->si_code > 0) {
    teller.load(std::memory_order_relaxed)(reinterpret_cast<uintptr_t>(information->si_addr));
  } else {
    raise(signal);  // a process sent it; it comes again when this function returns
  }
}

}  // namespace

void watch_faults(void (*tell)(uintptr_t address)) {
  const ErrnoKeeper keeper;
  teller.store(tell, std::memory_order_relaxed);
  for (const int signal : {SIGSEGV, SIGBUS}) {
    struct sigaction now = {};
    if (sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
        now.sa_handler == SIG_DFL) {
      struct sigaction ours = {};
      ours.sa_sigaction = on_fault;
      ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
      sigaction(signal, &ours, nullptr);
    }
  }
}

}  // namespace spillway::os
