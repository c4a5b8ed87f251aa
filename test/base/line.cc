// SPDX-License-Identifier: MIT
#include "alloc/base/line.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace spillway {
namespace {

BOOST_AUTO_TEST_SUITE(line)

BOOST_AUTO_TEST_CASE(numbers_of_every_kind) {
  Line<200> text;
  text.number(0).put(' ').number(UINT64_MAX).put(' ').signed_number(INT64_MIN).put(' ');
  text.address(reinterpret_cast<void*>(0x7f001234)).put('|');
  BOOST_TEST(text.view() == "0 18446744073709551615 -9223372036854775808 0x7f001234|");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_cut) {
  Line<4> text;
  text.text("abcdef").number(12);
  BOOST_TEST(text.view() == "abcd");
  BOOST_TEST(std::string(text.c_str()) == "abc");
}

BOOST_AUTO_TEST_CASE(quoted_text_cannot_break_the_line) {
  Line<40> text;
  text.quoted("a\nb\x1b[31m\x7f");
  BOOST_TEST(text.view() == "'a?b?[31m?'");
}

BOOST_AUTO_TEST_CASE(quoted_text_is_ascii) {
  Line<40> text;
  text.quoted("a\x80\xc3\xa4\xff~");
  BOOST_TEST(text.view() == "'a????~'");
}

BOOST_AUTO_TEST_CASE(pads_to_a_column) {
  Line<20> text;
  text.text("ab").spaces_up_to(5).put('|').spaces_up_to(3);
  BOOST_TEST(text.view() == "ab   |");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
