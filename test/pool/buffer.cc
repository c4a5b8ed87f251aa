// SPDX-License-Identifier: MIT
#include "spillway/buffer.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>
#include <utility>

#include "spillway/pool.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(pool_buffer)

BOOST_AUTO_TEST_CASE(one_without_memory_does_nothing) {
  Buffer buffer;
  BOOST_TEST(!buffer);
  BOOST_TEST(buffer.size() == 0U);
  BOOST_TEST(buffer.capacity() == 0U);
  BOOST_TEST(buffer.view() == "");
  BOOST_TEST(buffer.spare().empty());
  BOOST_TEST(!buffer.append("x"));
  BOOST_TEST(buffer.append(""));
  BOOST_TEST(!buffer.set_size(1));
  BOOST_TEST(!buffer.resize(10));
  buffer.clear();
  buffer.release();
  BOOST_TEST(!buffer);
}

BOOST_AUTO_TEST_CASE(append_fills_up_to_the_capacity_and_does_not_move) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(4 * kKiB);
  const std::byte* const start = buffer.data();
  std::string expected_text;
  while (buffer.append("seven b")) {
    expected_text += "seven b";
  }
  BOOST_TEST(buffer.size() == 4 * kKiB / 7 * 7);
  BOOST_TEST((buffer.view() == expected_text));
  BOOST_TEST(!buffer.append(std::string(buffer.spare().size() + 1, 'x')));
  BOOST_TEST((buffer.view() == expected_text));
  BOOST_TEST(buffer.append(std::string(buffer.spare().size(), 'x')));
  BOOST_TEST(buffer.size() == buffer.capacity());
  BOOST_TEST(buffer.append(""));
  BOOST_TEST(!buffer.append("x"));
  BOOST_TEST(buffer.data() == start);
}

BOOST_AUTO_TEST_CASE(append_takes_the_buffer_s_own_bytes) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(100);
  BOOST_TEST(buffer.append("abcdef"));
  BOOST_TEST(buffer.append(buffer.view().substr(1, 3)));
  BOOST_TEST(buffer.view() == "abcdefbcd");
  BOOST_TEST(buffer.append(buffer.view()));
  BOOST_TEST(buffer.view() == "abcdefbcdabcdefbcd");
  buffer.clear();
  BOOST_TEST(buffer.empty());
  // From behind the size, and over the place where they go.
  std::memcpy(buffer.spare().data(), "0123456789", 10);
  BOOST_TEST(buffer.append(std::span<const std::byte>(buffer.data() + 2, 8)));
  BOOST_TEST(buffer.view() == "23456789");
}

BOOST_AUTO_TEST_CASE(set_size_stays_within_the_capacity) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(10);
  std::memcpy(buffer.spare().data(), "hello", 5);
  BOOST_TEST(buffer.set_size(5));
  BOOST_TEST(buffer.view() == "hello");
  BOOST_TEST(buffer.set_size(buffer.capacity()));
  BOOST_TEST(buffer.spare().empty());
  BOOST_TEST(buffer.set_size(2));
  for (const size_t size : {buffer.capacity() + 1, SIZE_MAX}) {
    BOOST_TEST(!buffer.set_size(size));
    BOOST_TEST(buffer.view() == "he");
  }
}

BOOST_AUTO_TEST_CASE(resize_within_the_capacity_fills_what_is_added) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(100);
  const std::byte* const start = buffer.data();
  fill(buffer.spare(), std::byte{0xee});
  BOOST_TEST(buffer.append("abc"));
  BOOST_TEST(buffer.resize(6, std::byte{'x'}));
  BOOST_TEST(buffer.view() == "abcxxx");
  BOOST_TEST(buffer.resize(2));
  BOOST_TEST(buffer.view() == "ab");
  BOOST_TEST(buffer.resize(4 * kKiB));
  BOOST_TEST(all_are(buffer.span().subspan(2), std::byte{0}));
  BOOST_TEST(buffer.data() == start);
}

BOOST_AUTO_TEST_CASE(resize_beyond_the_capacity_moves_to_a_larger_class) {
  Pool pool = make_pool(two_classes(2));
  const Tenant tenant = pool.tenant("mover");
  Buffer buffer = pool.alloc(100, tenant);
  BOOST_TEST(buffer.append("abc"));
  BOOST_TEST(buffer.resize(5000, std::byte{'x'}));
  BOOST_TEST(buffer.is_pooled());
  BOOST_TEST(buffer.size() == 5000U);
  BOOST_TEST(buffer.capacity() == 8 * kKiB);
  BOOST_TEST(buffer.view().substr(0, 4) == "abcx");
  BOOST_TEST(all_are(buffer.span().subspan(3), std::byte{'x'}));
  BOOST_TEST(tenant.live_bytes() == 8 * kKiB);
  BOOST_TEST(pool.statistics().classes.at(0).live == 0U);
  BOOST_TEST(pool.statistics().classes.at(1).live == 1U);
  buffer.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(resize_beyond_the_largest_class_takes_exactly_the_size) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc_len(8 * kKiB);
  fill(buffer.span(), std::byte{'a'});
  for (const size_t size : {8 * kKiB + 1, 100 * kKiB, 3 * kMiB + 7}) {
    const size_t before = buffer.size();
    BOOST_TEST(buffer.resize(size, std::byte{'a'}));
    BOOST_TEST(!buffer.is_pooled());
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(buffer.capacity() == size);
    BOOST_TEST(before < size);
    BOOST_TEST(all_are(buffer.span(), std::byte{'a'}));
  }
  BOOST_TEST(pool.statistics().classes.at(1).live == 0U);
  // The class gets none of the other blocks.
  buffer.release();
  BOOST_TEST(take_all(pool, 8 * kKiB).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_resize_without_memory_changes_nothing) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(100);
  BOOST_TEST(buffer.append("kept"));
  const std::byte* const start = buffer.data();
  for (const size_t size : {SIZE_MAX, SIZE_MAX / 2}) {
    BOOST_TEST(!buffer.resize(size));
    BOOST_TEST(buffer.view() == "kept");
    BOOST_TEST(buffer.data() == start);
  }
  BOOST_TEST(!pool.alloc(SIZE_MAX));
  BOOST_TEST(!pool.alloc_zeroed(SIZE_MAX - 4096));
}

BOOST_AUTO_TEST_CASE(moving_hands_the_memory_over) {
  Pool pool = make_pool(two_classes(4));
  Buffer first = pool.alloc(100);
  BOOST_TEST(first.append("first"));
  const std::byte* const start = first.data();
  Buffer second(std::move(first));
  BOOST_TEST(second.data() == start);
  BOOST_TEST(second.view() == "first");
  BOOST_TEST(!first);  // NOLINT(bugprone-use-after-move)
  BOOST_TEST(first.size() == 0U);
  BOOST_TEST(first.capacity() == 0U);
  BOOST_TEST(!first.append("x"));

  Buffer third = pool.alloc(100);
  BOOST_TEST(first_class(pool).live == 2U);
  third = std::move(second);
  BOOST_TEST(first_class(pool).live == 1U);
  BOOST_TEST(third.view() == "first");

  Buffer& same = third;
  third = std::move(same);
  BOOST_TEST(third.view() == "first");
  BOOST_TEST(third.data() == start);
  BOOST_TEST(first_class(pool).live == 1U);

  third = Buffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(swap_exchanges_everything) {
  Pool pool = make_pool(two_classes(4));
  const Tenant tenant = pool.tenant("swapper");
  Buffer small = pool.alloc(100, tenant);
  Buffer large = pool.alloc(5000);
  BOOST_TEST(small.append("small"));
  BOOST_TEST(large.append("large"));
  small.swap(large);
  BOOST_TEST(small.view() == "large");
  BOOST_TEST(small.capacity() == 8 * kKiB);
  BOOST_TEST(large.view() == "small");
  BOOST_TEST(large.capacity() == 4 * kKiB);
  small.release();
  BOOST_TEST(tenant.live_bytes() == 4 * kKiB);
  large.swap(large);
  BOOST_TEST(large.view() == "small");
  large.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
