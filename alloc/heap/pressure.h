// SPDX-License-Identifier: MIT
// Reaction to memory pressure, as Linux measures it (PSI): how much of the time programs waited for
// memory. The option `pressure` turns it on.
#pragma once

#include <cstdint>

#include "alloc/heap/background.h"

namespace spillway::heap {

// One thread at a time.
class PressureGauge {
 public:
  // Whether waiting took `per_cent` or more of the time since the last call; false for the first.
  // `stall_us` is the kernel's sum so far; UINT64_MAX, where it can't be read, is passed over.
  bool rose(int64_t per_cent, uint64_t stall_us, uint64_t now_ns) {
    if (stall_us == UINT64_MAX) {
      return false;
    }
    const uint64_t stalled_us = stall_us >= stall_us_ ? stall_us - stall_us_ : 0;
    const uint64_t elapsed_us = (now_ns - looked_at_ns_) / 1000;
    const bool known = looked_at_ns_ != 0;
    stall_us_ = stall_us;
    looked_at_ns_ = now_ns;
    return known && stalled_us != 0 &&
           stalled_us * 100 >= elapsed_us * static_cast<uint64_t>(per_cent);
  }

 private:
  uint64_t stall_us_ = 0;
  uint64_t looked_at_ns_ = 0;
};

bool watches_pressure();
// Gives all free pooled memory back at once where the pressure is above the option's. For the
// thread that runs the scavenger, while free memory waits. Reads two files with the option, none
// without.
void relieve_pressure();
// The same as the background thread's duty.
NextTurn watch_pressure();
// In a forked child.
void recover_pressure_after_fork();

}  // namespace spillway::heap
