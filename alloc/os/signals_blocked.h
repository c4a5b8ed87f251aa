// SPDX-License-Identifier: MIT
// Blocks all signals of the calling thread for as long as it lives: no handler runs in between. Two
// system calls, each some 100 ns; SIGKILL and SIGSTOP stay the kernel's.
#pragma once

#include <csignal>
#include <cstdint>

#include "alloc/os/system_call.h"

namespace spillway::os {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    const uint64_t all = ~uint64_t{0};
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all);
  }
  ~SignalsBlocked() {
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  uint64_t before_ = 0;
};

}  // namespace spillway::os
