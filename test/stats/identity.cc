// SPDX-License-Identifier: MIT
#include "alloc/stats/identity.h"

#include <boost/test/unit_test.hpp>
#include <ctime>
#include <string>

namespace spillway::stats {
namespace {

using Text = Line<500>;

std::string date(uint64_t ns) {
  Text line;
  put_date(line, ns);
  return std::string(line.view());
}

BOOST_AUTO_TEST_SUITE(identity)

BOOST_AUTO_TEST_CASE(a_version_has_three_numbers) {
  Text line;
  put_version(line, 10203);
  BOOST_TEST(line.view() == "1.2.3");
  line.clear();
  put_version(line, 100);
  BOOST_TEST(line.view() == "0.1.0");
}

BOOST_AUTO_TEST_CASE(seconds_have_milliseconds) {
  Text line;
  put_seconds(line, 1'764'493'200'005'999'999);
  BOOST_TEST(line.view() == "1764493200.005");
  line.clear();
  put_seconds(line, 0);
  BOOST_TEST(line.view() == "0.000");
}

BOOST_AUTO_TEST_CASE(dates_are_those_of_the_c_library) {
  BOOST_TEST(date(0) == "1970-01-01T00:00:00.000Z");
  BOOST_TEST(date(951'782'400'120'000'000) == "2000-02-29T00:00:00.120Z");
  constexpr uint64_t kDay = 86400;
  for (uint64_t day = 0; day < 365 * 200; day += 1) {
    const auto seconds = static_cast<time_t>(day * kDay + day % kDay);
    char expected[64];
    struct tm broken {};
    strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&seconds, &broken));
    BOOST_REQUIRE(date(static_cast<uint64_t>(seconds) * 1'000'000'000) == expected);
  }
}

BOOST_AUTO_TEST_CASE(json_strings_hold_any_byte) {
  Text line;
  put_json(line, std::string_view("a\"b\\c\n\x01\x1f\x7f\xff\xc3\xbc\0d", 14));
  BOOST_TEST(line.view() == "a\\\"b\\\\c\\u000a\\u0001\\u001f\x7f\xef\xbf\xbd\xc3\xbc\\u0000d");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::stats
