// SPDX-License-Identifier: MIT
#include "alloc/base/bits.h"

#include <boost/test/unit_test.hpp>

namespace spillway {
namespace {

BOOST_AUTO_TEST_SUITE(bits)

BOOST_AUTO_TEST_CASE(aligns_up_and_down) {
  BOOST_TEST(align_up(0, 4096) == 0U);
  BOOST_TEST(align_up(1, 4096) == 4096U);
  BOOST_TEST(align_up(4096, 4096) == 4096U);
  BOOST_TEST(align_down(8191, 4096) == 4096U);
}

BOOST_AUTO_TEST_CASE(low_bits_of_every_count) {
  BOOST_TEST(low_bits(0) == 0U);
  BOOST_TEST(low_bits(1) == 1U);
  BOOST_TEST(low_bits(63) == ~uint64_t{0} >> 1);
  BOOST_TEST(low_bits(64) == ~uint64_t{0});
}

BOOST_AUTO_TEST_CASE(lowest_set_bits_takes_from_the_bottom) {
  BOOST_TEST(lowest_set_bits(0b101100, 2) == 0b001100U);
  BOOST_TEST(lowest_set_bits(0b101100, 3) == 0b101100U);
  BOOST_TEST(lowest_set_bits(0b101100, 9) == 0b101100U);
  BOOST_TEST(lowest_set_bits(~uint64_t{0}, 64) == ~uint64_t{0});
  BOOST_TEST(lowest_set_bits(0, 5) == 0U);
}

BOOST_AUTO_TEST_CASE(highest_set_bits_takes_from_the_top) {
  BOOST_TEST(highest_set_bits(0b101100, 1) == 0b100000U);
  BOOST_TEST(highest_set_bits(0b101100, 2) == 0b101000U);
  BOOST_TEST(highest_set_bits(0b101100, 9) == 0b101100U);
  BOOST_TEST(highest_set_bits(0b101100, 0) == 0U);
  BOOST_TEST(highest_set_bits(~uint64_t{0}, 64) == ~uint64_t{0});
  BOOST_TEST(highest_set_bits(0, 5) == 0U);
}

BOOST_AUTO_TEST_CASE(divider_is_exact_at_the_edges_of_every_quotient) {
  constexpr uint32_t kLargest = (1U << 31) - 1;
  for (uint32_t divisor : {1U, 2U, 3U, 5U, 7U, 12U, 20U, 96U, 224U, 255U, 256U, 2560U, 65535U}) {
    const Divider by(divisor);
    for (uint64_t multiple = 0; multiple <= kLargest;
         multiple += uint64_t{divisor} * 9973 + divisor) {
      for (const int64_t offset : {-1, 0, 1}) {
        const int64_t numerator = static_cast<int64_t>(multiple) + offset;
        if (numerator >= 0 && numerator <= kLargest) {
          const auto value = static_cast<uint32_t>(numerator);
          BOOST_REQUIRE(by.divide(value) == value / divisor);
        }
      }
    }
    BOOST_REQUIRE(by.divide(kLargest) == kLargest / divisor);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
