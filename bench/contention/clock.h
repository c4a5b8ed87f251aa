// SPDX-License-Identifier: MIT
// The time that the allocator is told. It advances only by what threads do, so that an allocator
// does what it does by the clock as often as at full speed, and at the same moments each time.
#pragma once

#include <time.h>

#include <atomic>
#include <cstdint>

namespace bench::contention {

class Clock {
 public:
  Clock();

  // Any thread may ask. The clocks that run on, as clock_gettime(); a process's and a thread's
  // times are the real ones.
  int read(clockid_t clock, timespec* time) const;

  // Since this object was made.
  // relaxed: a number by itself.
  uint64_t now_ns() const { return now_ns_.load(std::memory_order_relaxed); }
  void advance_to(uint64_t now_ns) { now_ns_.store(now_ns, std::memory_order_relaxed); }

  uint64_t start_ns(clockid_t clock) const;

 private:
  static constexpr clockid_t kMaxClocks = 8;

  std::atomic<uint64_t> now_ns_{0};
  timespec start_[kMaxClocks] = {};  // real
};

// The one of this process.
Clock& process_clock();

}  // namespace bench::contention
