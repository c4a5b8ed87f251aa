// SPDX-License-Identifier: MIT
// How much waiting for memory is pressure.
#include "alloc/heap/pressure.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>

namespace spillway::heap {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

BOOST_AUTO_TEST_SUITE(pressure)

BOOST_AUTO_TEST_CASE(it_is_the_share_of_time_since_the_last_look) {
  PressureGauge gauge;
  BOOST_TEST(!gauge.rose(10, 5'000'000, kSecond));  // who knows since when
  BOOST_TEST(gauge.rose(10, 5'100'000, 2 * kSecond));
  BOOST_TEST(!gauge.rose(10, 5'199'999, 3 * kSecond));
  BOOST_TEST(gauge.rose(100, 6'199'999, 4 * kSecond));
}

BOOST_AUTO_TEST_CASE(no_waiting_is_no_pressure) {
  PressureGauge gauge;
  gauge.rose(1, 7, kSecond);
  BOOST_TEST(!gauge.rose(1, 7, kSecond));
  BOOST_TEST(!gauge.rose(1, 7, 2 * kSecond));
}

BOOST_AUTO_TEST_CASE(what_can_not_be_read_is_passed_over_and_what_falls_is_no_pressure) {
  PressureGauge gauge;
  gauge.rose(1, UINT64_MAX, kSecond);
  BOOST_TEST(!gauge.rose(1, 1'000'000, 2 * kSecond));
  BOOST_TEST(!gauge.rose(1, UINT64_MAX, 3 * kSecond));
  BOOST_TEST(gauge.rose(1, 9'000'000, 4 * kSecond));
  BOOST_TEST(!gauge.rose(1, 1'000'000, 5 * kSecond));  // another control group's
  BOOST_TEST(gauge.rose(1, 2'000'000, 6 * kSecond));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
