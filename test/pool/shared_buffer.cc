// SPDX-License-Identifier: MIT
// Memory that several share. Point C15 of alloc/docs/POOL.md.
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>

#include "spillway/pool.h"
#include "test/pool/counting_new.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(pool_shared_buffer)

BOOST_AUTO_TEST_CASE(c15_freeze_keeps_the_memory_where_it_is) {
  Pool pool = make_pool(two_classes(4));
  for (const size_t size : {size_t{100}, size_t{5000}, size_t{50000}}) {
    Buffer buffer = pool.alloc(size);
    BOOST_TEST(buffer.append("frozen"));
    const std::byte* const start = buffer.data();
    const bool pooled = buffer.is_pooled();
    const SharedBuffer shared = std::move(buffer).freeze();
    BOOST_TEST(!buffer);  // NOLINT(bugprone-use-after-move)
    BOOST_TEST(buffer.capacity() == 0U);
    BOOST_TEST(shared.data() == start);
    BOOST_TEST(shared.view() == "frozen");
    BOOST_TEST(shared.is_pooled() == pooled);
    BOOST_TEST(shared.is_unique());
  }
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.live == 0U);
  }
}

BOOST_AUTO_TEST_CASE(c15_nothing_is_allocated) {
  Pool pool = make_pool(two_classes(4));
  const Tenant tenant = pool.tenant("frugal");
  const auto round = [&pool, tenant](size_t size) {
    Buffer buffer = pool.alloc(size, tenant);
    buffer.append("some bytes");
    SharedBuffer shared = std::move(buffer).freeze();
    SharedBuffer copy = shared;
    SharedBuffer slice = copy.slice(2, 5);
    SharedBuffer front = copy.take(3);
    copy.advance(1);
    copy = slice;
    shared = SharedBuffer();
    front = SharedBuffer();
    copy = SharedBuffer();
    expected<Buffer, SharedBuffer> again = std::move(slice).to_buffer();
    if (again.has_value()) {
      give_back(RawBuffer::from(std::move(*again)));
    }
    pool.flush();
    return again.has_value();
  };
  BOOST_TEST(round(100));
  for (const size_t size : {size_t{100}, size_t{5000}}) {
    const uint64_t before = heap_allocations();
    bool all = true;
    for (int i = 0; i < 50; ++i) {
      all = all && round(size);
    }
    const uint64_t after = heap_allocations();
    BOOST_TEST(all);
    BOOST_TEST(after == before);
  }
}

BOOST_AUTO_TEST_CASE(c15_copies_and_slices_keep_the_memory) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  SharedBuffer copy = shared;
  SharedBuffer slice = shared.slice(2, 5);
  SharedBuffer part_of_slice = slice.slice(1, 2);
  const SharedBuffer empty = shared.slice(4, 0);
  BOOST_TEST(!shared.is_unique());
  BOOST_TEST(copy.data() == shared.data());
  BOOST_TEST(slice.data() == shared.data() + 2);
  BOOST_TEST(slice.view() == "23456");
  BOOST_TEST(part_of_slice.view() == "34");
  BOOST_TEST(!empty);
  BOOST_TEST(empty.empty());
  shared = SharedBuffer();
  copy = SharedBuffer();
  slice = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 1U);
  BOOST_TEST(part_of_slice.view() == "34");
  BOOST_TEST(part_of_slice.is_unique());
  part_of_slice = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_empty_slices_do_not_keep_the_memory) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  const SharedBuffer empty[] = {shared.slice(0, 0), shared.slice(10), shared.slice(11, 5),
                                shared.slice(SIZE_MAX, SIZE_MAX), shared.take(0)};
  BOOST_TEST(shared.is_unique());
  for (const SharedBuffer& each : empty) {
    BOOST_TEST(!each);
    BOOST_TEST(each.empty());
    BOOST_TEST(each.view() == "");
  }
  shared = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_slices_are_cut_to_what_there_is) {
  Pool pool = make_pool(two_classes(4));
  const SharedBuffer shared = frozen_text(pool, "0123456789");
  BOOST_TEST(shared.slice(0).view() == "0123456789");
  BOOST_TEST(shared.slice(9, 100).view() == "9");
  BOOST_TEST(shared.slice(3, SIZE_MAX).view() == "3456789");
  BOOST_TEST(shared.slice(3, SIZE_MAX - 1).view() == "3456789");
  BOOST_TEST(SharedBuffer().slice(0, 10).empty());
}

BOOST_AUTO_TEST_CASE(c15_taking_a_part_shares_and_taking_all_hands_over) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  const std::byte* const start = shared.data();
  SharedBuffer front = shared.take(4);
  BOOST_TEST(front.view() == "0123");
  BOOST_TEST(front.data() == start);
  BOOST_TEST(shared.view() == "456789");
  BOOST_TEST(!shared.is_unique());
  front = SharedBuffer();
  BOOST_TEST(shared.is_unique());

  SharedBuffer rest = shared.take(100);
  BOOST_TEST(rest.view() == "456789");
  BOOST_TEST(rest.is_unique());
  BOOST_TEST(!shared);
  BOOST_TEST(shared.empty());
  BOOST_TEST(shared.take(1).empty());
  BOOST_TEST(first_class(pool).live == 1U);
  rest = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);

  SharedBuffer whole = frozen_text(pool, "0123456789");
  const SharedBuffer all = whole.take(10);
  BOOST_TEST(!whole);
  BOOST_TEST(all.is_unique());
}

BOOST_AUTO_TEST_CASE(c15_advance_drops_the_front) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  shared.advance(0);
  BOOST_TEST(shared.view() == "0123456789");
  shared.advance(3);
  BOOST_TEST(shared.view() == "3456789");
  BOOST_TEST(shared.is_unique());
  shared.advance(SIZE_MAX);
  BOOST_TEST(shared.empty());
  shared.advance(1);
  BOOST_TEST(shared.empty());
  shared = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_at_the_end_nothing_is_left_to_read) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  const std::byte* const start = shared.data();
  shared.advance(10);
  BOOST_TEST(shared.empty());
  BOOST_TEST(shared.size() == 0U);
  BOOST_TEST(shared.view() == "");
  BOOST_TEST(shared.span().empty());
  BOOST_TEST((shared.begin() == shared.end()));
  BOOST_TEST(!shared.slice(0));
  expected<Buffer, SharedBuffer> rest = std::move(shared).to_buffer();
  BOOST_REQUIRE(rest.has_value());
  BOOST_TEST(rest->empty());
  BOOST_TEST(rest->data() == start + 10);
  BOOST_TEST(rest->capacity() == 4 * kKiB - 10);
}

BOOST_AUTO_TEST_CASE(c15_taking_nothing_leaves_all) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  const std::byte* const start = shared.data();
  const SharedBuffer nothing = shared.take(0);
  BOOST_TEST(!nothing);
  BOOST_TEST(nothing.empty());
  BOOST_TEST(!nothing.is_pooled());
  BOOST_TEST(shared.data() == start);
  BOOST_TEST(shared.view() == "0123456789");
  BOOST_TEST(shared.is_unique());
}

BOOST_AUTO_TEST_CASE(c15_one_without_memory_becomes_one_without_memory) {
  expected<Buffer, SharedBuffer> buffer = SharedBuffer().to_buffer();
  BOOST_REQUIRE(buffer.has_value());
  BOOST_TEST(!*buffer);
  BOOST_TEST(buffer->capacity() == 0U);
}

BOOST_AUTO_TEST_CASE(c15_a_unique_one_becomes_writable_again) {
  Pool pool = make_pool(two_classes(4));
  const Tenant tenant = pool.tenant("again");
  Buffer buffer = pool.alloc(100, tenant);
  BOOST_TEST(buffer.append("0123456789"));
  const std::byte* const start = buffer.data();
  SharedBuffer shared = std::move(buffer).freeze();
  expected<Buffer, SharedBuffer> again = std::move(shared).to_buffer();
  BOOST_REQUIRE(again.has_value());
  BOOST_TEST(!shared);  // NOLINT(bugprone-use-after-move)
  BOOST_TEST(again->data() == start);
  BOOST_TEST(again->view() == "0123456789");
  BOOST_TEST(again->capacity() == 4 * kKiB);
  BOOST_TEST(again->append("abc"));
  BOOST_TEST(again->view() == "0123456789abc");
  BOOST_TEST(tenant.live_bytes() == 4 * kKiB);
  again->release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(c15_a_slice_gives_its_remaining_capacity) {
  Pool pool = make_pool(two_classes(4));
  for (const size_t length : {size_t{100}, size_t{5000}, size_t{50000}}) {
    Buffer buffer = pool.alloc_len(length);
    fill(buffer.span(), std::byte{'.'});
    const size_t capacity = buffer.capacity();
    SharedBuffer shared = std::move(buffer).freeze();
    SharedBuffer slice = shared.slice(10, 20);
    shared = SharedBuffer();
    expected<Buffer, SharedBuffer> again = std::move(slice).to_buffer();
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->size() == 20U);
    BOOST_TEST(again->capacity() == capacity - 10);
    BOOST_TEST(again->resize(capacity - 10, std::byte{'x'}));
    BOOST_TEST(again->capacity() == capacity - 10);
    // Its bytes move like any other's.
    BOOST_TEST(again->resize(capacity + 1, std::byte{'y'}));
    BOOST_TEST(all_are(again->span().first(20), std::byte{'.'}));
    BOOST_TEST(all_are(again->span().subspan(20, capacity - 30), std::byte{'x'}));
    BOOST_TEST(all_are(again->span().subspan(capacity - 10), std::byte{'y'}));
  }
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.live == 0U);
  }
}

BOOST_AUTO_TEST_CASE(c15_a_shared_one_stays_as_it_is) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  SharedBuffer slice = shared.slice(3, 4);
  const std::byte* const start = slice.data();
  expected<Buffer, SharedBuffer> refused = std::move(slice).to_buffer();
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().view() == "3456");
  BOOST_TEST(refused.error().data() == start);
  BOOST_TEST(shared.view() == "0123456789");
  shared = SharedBuffer();
  BOOST_TEST(std::move(refused.error()).to_buffer().has_value());
}

BOOST_AUTO_TEST_CASE(c15_it_can_be_frozen_and_written_many_times) {
  Pool pool = make_pool(two_classes(4));
  Buffer buffer = pool.alloc(100);
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(buffer.append("x"));
    SharedBuffer shared = std::move(buffer).freeze();
    { const SharedBuffer passing = shared; }
    expected<Buffer, SharedBuffer> again = std::move(shared).to_buffer();
    BOOST_REQUIRE(again.has_value());
    buffer = std::move(*again);
  }
  BOOST_TEST(buffer.view() == std::string(20, 'x'));
  buffer.release();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_assignment_counts_right) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer one = frozen_text(pool, "one");
  SharedBuffer two = frozen_text(pool, "two");
  SharedBuffer& same = one;
  one = same;
  BOOST_TEST(one.is_unique());
  one = std::move(same);
  BOOST_TEST(one.view() == "one");
  BOOST_TEST(one.is_unique());
  two = one;
  BOOST_TEST(first_class(pool).live == 1U);
  BOOST_TEST(two.view() == "one");
  SharedBuffer moved = std::move(two);
  BOOST_TEST(!two);  // NOLINT(bugprone-use-after-move)
  BOOST_TEST(!moved.is_unique());
  one.swap(moved);
  one = SharedBuffer();
  BOOST_TEST(moved.is_unique());
  moved = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_a_buffer_frozen_empty_comes_back_too) {
  Pool pool = make_pool(two_classes(4));
  { const SharedBuffer shared = pool.alloc(100).freeze(); }
  BOOST_TEST(!Buffer().freeze());
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
