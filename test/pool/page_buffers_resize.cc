// SPDX-License-Identifier: MIT
// What the program does with a buffer of pages: it reads, writes and resizes it. Point A7 of
// alloc/docs/POOL.md.
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <vector>

#include "spillway/pool.h"
#include "test/pool/page_buffers.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(page_buffers_resize)

BOOST_FIXTURE_TEST_CASE(a7_a_buffer_reads_and_writes_as_a_span, PageBuffers) {
  Buffer buffer = pool.acquire(4096);
  BOOST_TEST(!buffer.empty());
  BOOST_TEST(buffer.span().data() == buffer.data());
  BOOST_TEST(buffer.span().size() == 4096U);
  BOOST_TEST(buffer.end() - buffer.begin() == 4096);
  buffer[0] = std::byte{'a'};
  buffer.data()[1] = std::byte{'b'};
  buffer.span()[4095] = std::byte{'z'};
  const Buffer& read = buffer;
  BOOST_TEST((read[0] == std::byte{'a'}));
  BOOST_TEST((read.begin()[1] == std::byte{'b'}));
  BOOST_TEST((read.span().back() == std::byte{'z'}));
  BOOST_TEST(read.view().substr(0, 2) == "ab");
  buffer.clear();
  BOOST_TEST(buffer.empty());
  BOOST_TEST(buffer.capacity() == 4096U);
  BOOST_TEST(buffer.spare().size() == 4096U);
}

BOOST_FIXTURE_TEST_CASE(a7_resize_within_the_capacity_stays, PageBuffers) {
  Buffer buffer = pool.alloc(4000);
  const std::byte* const data = buffer.data();
  BOOST_TEST(buffer.append("abcd"));
  BOOST_TEST(buffer.resize(2));
  BOOST_TEST(buffer.view() == "ab");
  BOOST_TEST(buffer.resize(5, std::byte{'x'}));
  BOOST_TEST(buffer.view() == "abxxx");
  BOOST_TEST(buffer.resize(4096));
  BOOST_TEST(buffer.size() == 4096U);
  BOOST_TEST(all_are(buffer.span().subspan(5), std::byte{0}));
  BOOST_TEST(buffer.data() == data);
  BOOST_TEST(buffer.resize(0));
  BOOST_TEST(buffer.empty());
  BOOST_TEST(class_of(4096).live == 1U);
  BOOST_TEST(pool.statistics().allocations == 1U);
}

BOOST_FIXTURE_TEST_CASE(a7_resize_past_the_capacity_moves_to_a_larger_class, PageBuffers) {
  Buffer buffer = pool.acquire(4096);
  fill(buffer.span(), std::byte{'a'});
  BOOST_TEST(buffer.resize(10000, std::byte{'b'}));
  BOOST_TEST(buffer.is_pooled());
  BOOST_TEST(buffer.size() == 10000U);
  BOOST_TEST(buffer.capacity() == 16384U);
  BOOST_TEST(all_are(buffer.span().first(4096), std::byte{'a'}));
  BOOST_TEST(all_are(buffer.span().subspan(4096), std::byte{'b'}));
  BOOST_TEST(class_of(4096).live == 0U);
  BOOST_TEST(class_of(16384).live == 1U);
}

BOOST_FIXTURE_TEST_CASE(a7_resize_past_the_largest_class_is_exactly_the_size, PageBuffers) {
  Buffer buffer = pool.alloc(1);
  BOOST_TEST(buffer.append("abc"));
  BOOST_TEST(buffer.resize(kLargest + 1, std::byte{'b'}));
  BOOST_TEST(!buffer.is_pooled());
  BOOST_TEST(buffer.size() == kLargest + 1);
  BOOST_TEST(buffer.capacity() == kLargest + 1);
  BOOST_TEST(buffer.view().substr(0, 5) == "abcbb");
  BOOST_TEST((buffer[kLargest] == std::byte{'b'}));
  BOOST_TEST(class_of(4096).live == 0U);
}

BOOST_FIXTURE_TEST_CASE(a7_no_class_receives_a_block_of_another_size, FourOfEach) {
  for (size_t size = 4096; size <= kLargest; size *= 2) {
    for (int i = 0; i < 4; ++i) {
      Buffer grown = pool.acquire(size);
      BOOST_TEST(grown.resize(size + 1));
    }
  }
  for (size_t size = 4096; size <= kLargest; size *= 2) {
    const PoolClassStatistics idle = class_of(size);
    BOOST_TEST(idle.live == 0U);
    BOOST_TEST(idle.cached + idle.free <= 4U);
    std::vector<Buffer> buffers = acquire_many(4, size);
    BOOST_TEST(count_pooled(buffers) == 4U);
    for (Buffer& buffer : buffers) {
      BOOST_TEST(buffer.capacity() == size);
      fill(buffer.span(), std::byte{0xaa});
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a7_a_resize_that_fails_changes_nothing, PageBuffers) {
  Buffer buffer = pool.alloc(10);
  BOOST_TEST(buffer.append("abc"));
  const std::byte* const data = buffer.data();
  for (const size_t size : {SIZE_MAX, SIZE_MAX - 4096, SIZE_MAX / 2}) {
    BOOST_TEST(!buffer.resize(size));
    BOOST_TEST(buffer.data() == data);
    BOOST_TEST(buffer.view() == "abc");
    BOOST_TEST(buffer.capacity() == 4096U);
  }
  BOOST_TEST(class_of(4096).live == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
