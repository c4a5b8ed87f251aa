#include "bench/latency/timer.h"

#include <boost/test/unit_test.hpp>

namespace bench {
namespace {

template <class Timer>
double elapsed_ns(double ns_per_tick) {
  constexpr timespec kPause{0, 30'000'000};
  const std::uint64_t system_start = SystemTimer::now();
  const std::uint64_t start = Timer::now();
  nanosleep(&kPause, nullptr);
  const std::uint64_t ticks = Timer::now() - start;
  const std::uint64_t system = SystemTimer::now() - system_start;
  BOOST_TEST(system >= 30'000'000U);
  return static_cast<double>(ticks) * ns_per_tick / static_cast<double>(system);
}

BOOST_AUTO_TEST_SUITE(timer)

BOOST_AUTO_TEST_CASE(ticks_become_nanoseconds) {
  const TimerRate rate = calibrate_timer();
  BOOST_TEST(!rate.description.empty());
#if defined(__x86_64__)
  if (rate.tsc) {
    BOOST_TEST(elapsed_ns<TscTimer>(rate.ns_per_tick) == 1, boost::test_tools::tolerance(0.02));
    return;
  }
#endif
  BOOST_TEST(rate.ns_per_tick == 1);
  BOOST_TEST(elapsed_ns<SystemTimer>(1) == 1, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
