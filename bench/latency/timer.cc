// SPDX-License-Identifier: MIT
#include "bench/latency/timer.h"

#include <cstdio>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace bench {
namespace {

#if defined(__x86_64__)

bool tsc_is_steady() {
  constexpr unsigned kLeaf = 0x80000007;
  constexpr unsigned kInvariant = 1U << 8;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(kLeaf, &a, &b, &c, &d) != 0 && (d & kInvariant) != 0;
}

struct Moment {
  std::uint64_t ticks;
  std::uint64_t ns;
};

// Both clocks at once: of several readings the one that the counter says was the shortest.
Moment moment() {
  Moment best{};
  std::uint64_t shortest = UINT64_MAX;
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t before = TscTimer::now();
    const std::uint64_t ns = SystemTimer::now();
    const std::uint64_t took = TscTimer::now() - before;
    if (took < shortest) {
      shortest = took;
      best = {before + took / 2, ns};
    }
  }
  return best;
}

#endif

}  // namespace

TimerRate calibrate_timer() {
#if defined(__x86_64__)
  if (tsc_is_steady()) {
    constexpr timespec kPause{0, 20'000'000};
    const Moment start = moment();
    nanosleep(&kPause, nullptr);
    const Moment end = moment();
    const double rate =
        static_cast<double>(end.ns - start.ns) / static_cast<double>(end.ticks - start.ticks);
    char text[64];
    std::snprintf(text, sizeof text, "rdtscp, %.1f MHz", 1e3 / rate);
    return {true, rate, text};
  }
#endif
  return {false, 1, "clock_gettime"};
}

}  // namespace bench
