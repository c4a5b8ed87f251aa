// SPDX-License-Identifier: MIT
// How fast a thread asks for memory.
//
// - fast: faster than it could write to it. It hardly uses its blocks, so misses are its time.
// - busy: a miss at each block would take a visible share of its time.
// - slow: it has time for a miss at each block; cached blocks would be memory for nothing.
#pragma once

#include <cstdint>

namespace spillway::core {

class AllocationRate {
 public:
  // Whether a thread that takes so many bytes in so long a time is fast.
  static constexpr bool is_fast_rate(uint64_t bytes, uint64_t ns) {
    return bytes > ns * kBytesPerNs;
  }
  // And whether one that takes so many blocks is busy.
  static constexpr bool is_busy_rate(uint64_t blocks, uint64_t ns) {
    return blocks * kNsPerBlock > ns;
  }

  // Until it is known, no.
  bool is_fast() const { return fast_; }
  // Fast threads are.
  bool is_busy() const { return busy_ || fast_; }
  // Another thread saw that it is not fast and, unless `busy`, slow.
  void slow_down(bool busy) {
    fast_ = false;
    busy_ = busy;
  }
  // Another thread's from now on.
  void forget() { *this = {}; }

  // What a thread was given since its start.
  struct Given {
    uint64_t blocks = 0;
    uint64_t bytes = 0;
  };
  // The thread looks at the clock.
  void look(uint64_t now_ns, Given given);

 private:
  // What a processor writes to memory that is in its caches.
  static constexpr uint64_t kBytesPerNs = 128;
  // Slow only when it was several times in a row: a thread loses its core, or waits, in between.
  static constexpr uint32_t kSlowLooks = 8;
  // A miss takes some 0.3 us, a thirteenth of this. With 20 us `ab` magick, which gains no time,
  // has a peak of 18.8 MiB instead of 16.6.
  static constexpr uint64_t kNsPerBlock = 4'000;

  bool fast_ = false;
  bool busy_ = false;
  uint32_t slow_looks_ = 0;  // in a row
  uint64_t looked_at_ns_ = 0;
  Given looked_given_;
};

}  // namespace spillway::core
