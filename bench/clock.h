// SPDX-License-Identifier: MIT
// Time, and sleeping; neither allocates.
#pragma once

#include <time.h>

namespace bench {

// CLOCK_MONOTONIC is the time on the wall, the same for all processes.
inline double now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec time{};
  clock_gettime(clock, &time);
  return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

inline void sleep_until(double time_ns) {
  const auto seconds = static_cast<time_t>(time_ns / 1e9);
  const timespec time{seconds, static_cast<long>(time_ns - 1e9 * static_cast<double>(seconds))};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) != 0) {
  }
}

inline void sleep_ms(int milliseconds) { sleep_until(now_ns() + 1e6 * milliseconds); }

}  // namespace bench
