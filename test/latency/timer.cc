// SPDX-License-Identifier: MIT
#include "bench/latency/timer.h"

#include <boost/test/unit_test.hpp>

namespace bench {
namespace {

// The same pause by the timer lies between two by the system's clock, one begun before and ended
// after it, the other within it: however long the thread was kept waiting between two readings.
template <class Timer>
void check_rate(double ns_per_tick) {
  constexpr timespec kPause{0, 30'000'000};
  constexpr double kTolerance = 0.02;
  const std::uint64_t outer_start = SystemTimer::now();
  const std::uint64_t start = Timer::now();
  const std::uint64_t inner_start = SystemTimer::now();
  nanosleep(&kPause, nullptr);
  const std::uint64_t inner = SystemTimer::now() - inner_start;
  const std::uint64_t ticks = Timer::now() - start;
  const std::uint64_t outer = SystemTimer::now() - outer_start;
  BOOST_TEST(inner >= 30'000'000U);
  const double found = static_cast<double>(ticks) * ns_per_tick;
  BOOST_TEST(found >= static_cast<double>(inner) * (1 - kTolerance));
  BOOST_TEST(found <= static_cast<double>(outer) * (1 + kTolerance));
}

BOOST_AUTO_TEST_SUITE(timer)

BOOST_AUTO_TEST_CASE(ticks_become_nanoseconds) {
  const TimerRate rate = calibrate_timer();
  BOOST_TEST(!rate.description.empty());
#if defined(__x86_64__)
  if (rate.tsc) {
    check_rate<TscTimer>(rate.ns_per_tick);
    return;
  }
#endif
  BOOST_TEST(rate.ns_per_tick == 1);
  check_rate<SystemTimer>(1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
