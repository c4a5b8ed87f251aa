// SPDX-License-Identifier: MIT
#include "alloc/base/utf8.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace spillway {
namespace {

std::string repaired(std::string_view text) {
  std::string result;
  for_each_character(text, [&result](std::string_view character) { result += character; });
  return result;
}

BOOST_AUTO_TEST_SUITE(utf8)

BOOST_AUTO_TEST_CASE(characters_stay_what_they_are) {
  for (const char* text :
       {"", "plain", "\x7f", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
        "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    BOOST_TEST(repaired(text) == text);
  }
}

BOOST_AUTO_TEST_CASE(each_byte_that_is_none_becomes_the_replacement_character) {
  const std::string one(kReplacementCharacter);
  BOOST_TEST(repaired("a\xff\xfe z") == "a" + one + one + " z");
  BOOST_TEST(repaired("\xe2\x82") == one + one);                      // cut short
  BOOST_TEST(repaired("\xc3(") == one + "(");                         // no continuation
  BOOST_TEST(repaired("\xc0\xaf") == one + one);                      // not the shortest
  BOOST_TEST(repaired("\xe0\x80\xaf") == one + one + one);            // the same
  BOOST_TEST(repaired("\xed\xa0\x80") == one + one + one);            // a surrogate
  BOOST_TEST(repaired("\xf4\x90\x80\x80") == one + one + one + one);  // beyond the last
  BOOST_TEST(repaired("\x80") == one);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
