// SPDX-License-Identifier: MIT
// A wait for what another thread is about to finish, with a bound in time.
#pragma once

#include <cstdint>

#include "alloc/os/os.h"

namespace spillway::os {

class BoundedWait {
 public:
  explicit BoundedWait(uint64_t nanoseconds) : end_ns_(monotonic_ns() + nanoseconds) {}

  // Lets others run, first by yielding, then by naps of 100 us, in which threads of lower priority
  // run, too. False, without a wait, when the time is over.
  bool pause() {
    if (monotonic_ns() >= end_ns_) {
      return false;
    }
    if (yields_ < kYields) {
      ++yields_;
      yield();
    } else {
      nap();
    }
    return true;
  }

 private:
  static constexpr int kYields = 32;
  uint64_t end_ns_;
  int yields_ = 0;
};

}  // namespace spillway::os
