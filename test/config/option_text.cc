// SPDX-License-Identifier: MIT
#include "alloc/config/option_text.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace spillway::config {
namespace {

const OptionSpec& spec(Option option) { return kOptionSpecs[static_cast<size_t>(option)]; }

std::string printed(Option option, int64_t value) {
  Line<500> line;
  print_value(spec(option), value, line);
  return std::string(line.view());
}

BOOST_AUTO_TEST_SUITE(option_text)

BOOST_AUTO_TEST_CASE(bytes_take_suffixes_in_either_case) {
  BOOST_TEST(parse_value(spec(Option::cache_budget), "0").value() == 0);
  BOOST_TEST(parse_value(spec(Option::cache_budget), "64k").value() == 64 << 10);
  BOOST_TEST(parse_value(spec(Option::cache_budget), "3M").value() == 3 << 20);
  BOOST_TEST(parse_value(spec(Option::cache_budget), "2g").value() == int64_t{2} << 30);
  BOOST_TEST(parse_value(spec(Option::cache_budget), "Adaptive").value() == kWordValue);
}

BOOST_AUTO_TEST_CASE(nonsense_is_no_value) {
  for (const char* text : {"", "K", "-1", "1KB", "1T", "0x10", " 1", "99999999999999999999",
                           "9223372036854775807G", "1099511627777"}) {
    BOOST_TEST(!parse_value(spec(Option::cache_budget), text).has_value(), text);
  }
  BOOST_TEST(!parse_value(spec(Option::enabled), "2").has_value());
  BOOST_TEST(!parse_value(spec(Option::enabled), "1K").has_value());
  BOOST_TEST(!parse_value(spec(Option::on_misuse), "explode").has_value());
  BOOST_TEST(!parse_value(spec(Option::on_misuse), "").has_value());
}

BOOST_AUTO_TEST_CASE(a_unit_too_much_is_seen) {
  BOOST_TEST(nearest_value(spec(Option::limit), "1GB") == "1G");
  BOOST_TEST(nearest_value(spec(Option::limit), "20Mib") == "20M");
  BOOST_TEST(nearest_value(spec(Option::cache_budget), "4096b") == "4096");
  for (const char* text : {"", "B", "iB", "1TB", "1G", "GB", "1.5GB", "1GBB"}) {
    BOOST_TEST(nearest_value(spec(Option::limit), text).empty(), text);
  }
  BOOST_TEST(nearest_value(spec(Option::on_misuse), "abortb").empty());
}

BOOST_AUTO_TEST_CASE(choices_are_their_position) {
  BOOST_TEST(parse_value(spec(Option::on_misuse), "abort").value() == 0);
  BOOST_TEST(parse_value(spec(Option::on_misuse), "REPORT").value() == 1);
  BOOST_TEST(parse_value(spec(Option::on_misuse), "ignore").value() == 2);
}

BOOST_AUTO_TEST_CASE(every_default_prints_as_something_that_parses_to_it) {
  for (const OptionSpec& one : kOptionSpecs) {
    Line<500> line;
    print_value(one, one.default_value, line);
    BOOST_TEST(parse_value(one, line.view()).value() == one.default_value, one.name);
  }
  BOOST_TEST(printed(Option::stats, 3) == "prometheus");
}

BOOST_AUTO_TEST_CASE(finds_the_nearest_name) {
  BOOST_TEST(nearest_option("max_sise").name == "max_size");
  BOOST_TEST(nearest_option("CACHE_BUGDET").name == "cache_budget");
  BOOST_TEST(nearest_option(std::string(400, 'x')).name.empty() == false);
  BOOST_TEST(find_option("Max_Size")->name == "max_size");
  BOOST_TEST(find_option("max_siz") == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::config
