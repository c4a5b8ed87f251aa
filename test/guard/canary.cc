// SPDX-License-Identifier: MIT
#include "alloc/guard/canary.h"

#include <boost/test/unit_test.hpp>

namespace spillway::guard {
namespace {

BOOST_AUTO_TEST_SUITE(guard_canary)

BOOST_AUTO_TEST_CASE(each_changed_byte_is_seen_and_no_other_is_written) {
  constexpr uint64_t kKey = 0x123456789abcdef1;
  alignas(8) unsigned char bytes[64] = {};
  const auto at = [&](size_t index) { return reinterpret_cast<uintptr_t>(bytes + index); };
  for (size_t first = 8; first < 20; ++first) {
    for (size_t end = first; end < 40; ++end) {
      std::memset(bytes, 0x5a, sizeof bytes);
      write_canary(at(first), at(end), kKey);
      BOOST_TEST_REQUIRE(bytes[first - 1] == 0x5a);
      BOOST_TEST_REQUIRE(bytes[end] == 0x5a);
      BOOST_TEST_REQUIRE(is_canary_whole(at(first), at(end), kKey));
      for (size_t changed = first; changed < end; ++changed) {
        bytes[changed] ^= 1;
        BOOST_TEST_REQUIRE(!is_canary_whole(at(first), at(end), kKey));
        bytes[changed] ^= 1;
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(another_address_and_another_key_have_other_ones) {
  alignas(8) uint64_t words[3] = {};
  const auto start = reinterpret_cast<uintptr_t>(words);
  write_canary(start, start + sizeof words, 1);
  BOOST_TEST(words[0] != words[1]);
  BOOST_TEST(words[1] != words[2]);
  BOOST_TEST(!is_canary_whole(start, start + sizeof words, 2));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::guard
