// SPDX-License-Identifier: MIT
#include "bench/latency/workload.h"

#include <boost/test/unit_test.hpp>

namespace bench {
namespace {

const Histogram& of(const Latencies& latencies, Kind kind) {
  return latencies.by_kind[static_cast<std::size_t>(kind)];
}

BOOST_AUTO_TEST_SUITE(latency_workload)

BOOST_AUTO_TEST_CASE(every_step_is_one_sample_of_each_kind) {
  const bool tsc = calibrate_timer().tsc;
  const auto work = make_timed_replacement(2, {4096, 65536}, tsc);
  const std::atomic<bool> stopped{true};
  // Without a crew: one block of steps would need `stop` to change, so that the warm-up is empty.
  for (int thread = 0; thread < 2; ++thread) {
    work->prepare(thread);
    BOOST_TEST(work->run(thread, stopped) == 0U);
    work->finish(thread);
  }
  BOOST_TEST(of(work->latencies(), Kind::kMalloc).count() == 0U);

  // Again if, on a busy machine, no thread got a processor within the two milliseconds.
  Latencies latencies{};
  while (of(latencies, Kind::kEmpty).count() == 0) {
    const auto again = make_timed_replacement(2, {4096, 65536}, tsc);
    BOOST_TEST(run_crew(*again, {2, 2}).size() == 2U);
    latencies = again->latencies();
  }
  const std::uint64_t steps = of(latencies, Kind::kEmpty).count();
  for (const Kind kind : {Kind::kFree, Kind::kMalloc, Kind::kMallocTouch}) {
    BOOST_TEST(of(latencies, kind).count() == steps);
  }
}

BOOST_AUTO_TEST_CASE(touching_takes_longer_than_the_call_alone) {
  const auto work = make_timed_replacement(1, {4096, 65536}, calibrate_timer().tsc);
  run_crew(*work, {3, 3});
  const Latencies latencies = work->latencies();
  for (const double share : {0.5, 0.9, 1.0}) {
    BOOST_TEST(of(latencies, Kind::kMallocTouch).percentile(share) >=
               of(latencies, Kind::kMalloc).percentile(share));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
