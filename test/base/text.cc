// SPDX-License-Identifier: MIT
#include "alloc/base/text.h"

#include <boost/test/unit_test.hpp>

namespace spillway {
namespace {

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(parts_are_clamped) {
  BOOST_TEST(first_part("abc", 2) == "ab");
  BOOST_TEST(first_part("abc", 9) == "abc");
  BOOST_TEST(rest_from("abc", 1) == "bc");
  BOOST_TEST(rest_from("abc", 9) == "");
}

BOOST_AUTO_TEST_CASE(takes_until_the_separator) {
  std::string_view list = "a:b,,c";
  BOOST_TEST(take_until(list, ',') == "a:b");
  BOOST_TEST(take_until(list, ',') == "");
  BOOST_TEST(take_until(list, ',') == "c");
  BOOST_TEST(list.empty());
  BOOST_TEST(take_until(list, ',') == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
