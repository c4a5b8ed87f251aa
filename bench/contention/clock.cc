// SPDX-License-Identifier: MIT
#include "bench/contention/clock.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace bench::contention {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

bool runs_on(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      return true;
    default:
      return false;
  }
}

}  // namespace

Clock::Clock() {
  for (clockid_t clock = 0; clock < kMaxClocks; ++clock) {
    syscall(SYS_clock_gettime, clock, &start_[clock]);
  }
}

uint64_t Clock::start_ns(clockid_t clock) const {
  return static_cast<uint64_t>(start_[clock].tv_sec) * kSecond +
         static_cast<uint64_t>(start_[clock].tv_nsec);
}

int Clock::read(clockid_t clock, timespec* time) const {
  if (!runs_on(clock)) {
    return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  }
  const uint64_t now = start_ns(clock) + now_ns();
  time->tv_sec = static_cast<time_t>(now / kSecond);
  time->tv_nsec = static_cast<long>(now % kSecond);
  return 0;
}

Clock& process_clock() {
  static Clock clock;
  return clock;
}

}  // namespace bench::contention
