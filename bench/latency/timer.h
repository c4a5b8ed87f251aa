// SPDX-License-Identifier: MIT
// Two clocks for single calls, and the ratio of their ticks to nanoseconds. A reading waits until
// what stands before it is done, and what stands behind it waits for the reading.
#pragma once

#include <time.h>

#include <cstdint>
#include <string>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace bench {

// The system's: ticks are nanoseconds.
struct SystemTimer {
  static std::uint64_t now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
  }
};

#if defined(__x86_64__)
// The processor's time-stamp counter. Only where tsc_is_steady().
struct TscTimer {
  static std::uint64_t now() {
    unsigned core;
    const std::uint64_t ticks = __rdtscp(&core);
    _mm_lfence();
    return ticks;
  }
};
#endif

// How the timer in use counts.
struct TimerRate {
  bool tsc;
  double ns_per_tick;
  std::string description;  // for a reader
};

// The counter where it runs at one rate through all states of the processor, calibrated against
// CLOCK_MONOTONIC in some 20 ms; elsewhere the system's clock.
TimerRate calibrate_timer();

}  // namespace bench
