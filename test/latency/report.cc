// SPDX-License-Identifier: MIT
#include "bench/latency/report.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>

namespace bench {
namespace {

BOOST_AUTO_TEST_SUITE(latency_report)

BOOST_AUTO_TEST_CASE(times_fit_in_six_characters) {
  BOOST_TEST(short_time(0) == "0ns");
  BOOST_TEST(short_time(31.6) == "32ns");
  BOOST_TEST(short_time(999.4) == "999ns");
  BOOST_TEST(short_time(999.6) == "1.00us");
  BOOST_TEST(short_time(9994) == "9.99us");
  BOOST_TEST(short_time(9996) == "10.0us");
  BOOST_TEST(short_time(99960) == "100us");
  BOOST_TEST(short_time(999'600) == "1.00ms");
  BOOST_TEST(short_time(12'345'678) == "12.3ms");
  BOOST_TEST(short_time(2.5e9) == "2.50s");
}

BOOST_AUTO_TEST_CASE(json_is_in_nanoseconds) {
  LatencyResult result{"latency/free/x/1t", 1, {}, 0.5, 1, 2};
  result.histogram.record(20);
  result.histogram.record(40);
  char* text = nullptr;
  std::size_t length = 0;
  std::FILE* const file = open_memstream(&text, &length);
  BOOST_REQUIRE(file != nullptr);
  write_latencies(file, {{"allocator", "any"}}, {result});
  std::fclose(file);
  const std::string written(text, length);
  std::free(text);
  BOOST_TEST(written ==
             "{\"context\": {\"allocator\": \"any\"},\n \"results\": [\n"
             "  {\"name\": \"latency/free/x/1t\", \"threads\": 1, \"count\": 2, \"quiet\": 1.000, "
             "\"switches_per_second\": 2.0,\n"
             "   \"p50\": 10.0, \"p90\": 20.0, \"p99\": 20.0, \"p99.9\": 20.0, \"p99.99\": 20.0, "
             "\"max\": 20.0,\n"
             "   \"histogram\": [[10.0, 1], [20.0, 1]]}\n ]}\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
