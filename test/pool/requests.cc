// SPDX-License-Identifier: MIT
// Which memory a request gets, or why it gets none. Points C5 to C7 and C14 of alloc/docs/POOL.md.
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(pool_requests)

BOOST_AUTO_TEST_CASE(c5_errors_have_names) {
  BOOST_TEST(std::string(name_of(PoolError::kOversized)) == "oversized");
  BOOST_TEST(std::string(name_of(PoolError::kExhausted)) == "exhausted");
}

BOOST_AUTO_TEST_CASE(c5_try_alloc_refuses_what_is_larger_than_the_largest_class) {
  Pool pool = make_pool(two_classes(4));
  for (const size_t size : {8 * kKiB + 1, 16 * kMiB, SIZE_MAX}) {
    BOOST_TEST(!pool.try_alloc_len(size).has_value());
    BOOST_TEST(!pool.try_alloc_zeroed(size).has_value());
    const expected<Buffer, PoolError> buffer = pool.try_alloc(size);
    BOOST_REQUIRE(!buffer.has_value());
    BOOST_TEST((buffer.error() == PoolError::kOversized));
  }
  const PoolStatistics now = pool.statistics();
  BOOST_TEST(now.oversized == 9U);
  BOOST_TEST(now.unpooled == 0U);
  BOOST_TEST(pool.try_alloc(8 * kKiB).has_value());
}

BOOST_AUTO_TEST_CASE(c5_try_alloc_refuses_when_the_class_is_exhausted) {
  Pool pool = make_pool(two_classes(2));
  std::vector<Buffer> buffers = take_all(pool, 1);
  BOOST_TEST(buffers.size() == 2U);
  const auto zeroed = pool.try_alloc_zeroed(4 * kKiB);
  const auto with_size = pool.try_alloc_len(4 * kKiB);
  BOOST_REQUIRE(!zeroed.has_value());
  BOOST_REQUIRE(!with_size.has_value());
  BOOST_TEST((zeroed.error() == PoolError::kExhausted));
  BOOST_TEST((with_size.error() == PoolError::kExhausted));
  BOOST_TEST(pool.statistics().unpooled == 0U);
  BOOST_TEST(pool.try_alloc(4 * kKiB + 1).has_value());  // the other class
  buffers.pop_back();
  BOOST_TEST(pool.try_alloc(4 * kKiB).has_value());
}

BOOST_AUTO_TEST_CASE(c5_below_the_least_pooled_size_blocks_have_exactly_the_size) {
  Pool pool = make_pool(two_classes(2).with_pool_min_size(1 * kKiB));
  for (const size_t size : {size_t{1}, size_t{100}, kKiB - 1}) {
    const auto buffer = pool.try_alloc_len(size);
    BOOST_REQUIRE(buffer.has_value());
    BOOST_TEST(!buffer->is_pooled());
    BOOST_TEST(buffer->size() == size);
    BOOST_TEST(buffer->capacity() == size);
    BOOST_TEST(is_aligned(buffer->data(), 64));
  }
  BOOST_TEST(!pool.alloc(100).is_pooled());
  BOOST_TEST(pool.alloc(kKiB).is_pooled());
  BOOST_TEST(pool.alloc(kKiB).capacity() == 4 * kKiB);
  BOOST_TEST(pool.statistics().unpooled == 4U);
  BOOST_TEST(pool.statistics().oversized == 0U);
}

BOOST_AUTO_TEST_CASE(c6_alloc_serves_what_is_larger_than_the_largest_class) {
  Pool pool = make_pool(two_classes(2).with_alignment(4 * kKiB));
  for (const size_t size : {8 * kKiB + 1, 100 * kKiB + 3, 20 * kMiB}) {
    Buffer buffer = pool.alloc(size);
    BOOST_REQUIRE(static_cast<bool>(buffer));
    BOOST_TEST(!buffer.is_pooled());
    BOOST_TEST(buffer.size() == 0U);
    BOOST_TEST(buffer.capacity() == size);
    BOOST_TEST(is_aligned(buffer.data(), 4 * kKiB));
    fill(buffer.spare(), std::byte{7});
  }
  BOOST_TEST(pool.statistics().oversized == 3U);
  BOOST_TEST(pool.statistics().unpooled == 3U);
}

BOOST_AUTO_TEST_CASE(c6_alloc_serves_when_the_class_is_exhausted) {
  Pool pool = make_pool(two_classes(2).with_alignment(kKiB));
  const std::vector<Buffer> buffers = take_all(pool, 4 * kKiB);
  {
    const Buffer more = pool.alloc_len(3000);
    BOOST_REQUIRE(static_cast<bool>(more));
    BOOST_TEST(!more.is_pooled());
    BOOST_TEST(more.size() == 3000U);
    BOOST_TEST(more.capacity() == 3000U);
    BOOST_TEST(is_aligned(more.data(), kKiB));
    const Buffer zeroed = pool.alloc_zeroed(3000);
    BOOST_TEST(!zeroed.is_pooled());
    BOOST_TEST(all_are(zeroed.span(), std::byte{0}));
  }
  // What was never pooled does not become so.
  BOOST_TEST(!pool.try_alloc(4 * kKiB).has_value());
  BOOST_TEST(first_class(pool).live == 2U);
  BOOST_TEST(first_class(pool).free == 0U);
  BOOST_TEST(pool.statistics().unpooled == 2U);
}

BOOST_AUTO_TEST_CASE(c6_is_pooled_tells_for_all_forms_of_a_buffer) {
  Pool pool = make_pool(two_classes(2));
  BOOST_TEST(pool.alloc(1).is_pooled());
  BOOST_TEST(frozen_text(pool, "pooled").is_pooled());
  BOOST_TEST(frozen_text(pool, "pooled").slice(2, 3).is_pooled());
  BOOST_TEST(!frozen_text(pool, std::string(10000, 'x')).is_pooled());
  BOOST_TEST(!Buffer().is_pooled());
  BOOST_TEST(!SharedBuffer().is_pooled());
}

BOOST_AUTO_TEST_CASE(c7_alloc_gives_an_empty_buffer_of_the_smallest_class_that_fits) {
  Pool pool = make_pool(PoolConfig::page_buffers());
  const std::pair<size_t, size_t> expected_classes[] = {
      {0, 4096}, {1, 4096}, {4096, 4096}, {4097, 8192}, {65537, 131072}, {1048576, 1048576}};
  for (const auto& [asked, size] : expected_classes) {
    const Buffer buffer = pool.alloc(asked);
    BOOST_TEST(static_cast<bool>(buffer));
    BOOST_TEST(buffer.is_pooled());
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.capacity() == size);
  }
}

BOOST_AUTO_TEST_CASE(c7_nothing_is_a_buffer_of_the_smallest_class) {
  Pool pool = make_pool(two_classes(4));
  const Buffer buffers[] = {pool.alloc(0), pool.alloc_len(0), pool.alloc_zeroed(0),
                            *pool.try_alloc(0)};
  for (const Buffer& buffer : buffers) {
    BOOST_TEST(static_cast<bool>(buffer));
    BOOST_TEST(buffer.is_pooled());
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.capacity() == 4 * kKiB);
  }
  Pool particular = make_pool(two_classes(4).with_pool_min_size(1));
  const Buffer unpooled = particular.alloc(0);
  BOOST_TEST(static_cast<bool>(unpooled));
  BOOST_TEST(!unpooled.is_pooled());
  BOOST_TEST(unpooled.capacity() == 0U);
}

BOOST_AUTO_TEST_CASE(c7_alloc_len_gives_the_size) {
  Pool pool = make_pool(two_classes(2));
  for (const size_t size : {size_t{1}, 4 * kKiB, 4 * kKiB + 1}) {
    const Buffer buffer = pool.alloc_len(size);
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(buffer.capacity() == (size <= 4 * kKiB ? 4 : 8) * kKiB);
  }
}

BOOST_AUTO_TEST_CASE(c7_alloc_zeroed_clears_what_is_asked_and_nothing_else) {
  Pool pool = make_pool(one_class(1));
  const std::byte* first = nullptr;
  for (const size_t size : {size_t{100}, size_t{1}, 4 * kKiB}) {
    {
      Buffer dirty = pool.alloc_len(4 * kKiB);
      fill(dirty.span(), std::byte{0xab});
      BOOST_TEST((first == nullptr || first == dirty.data()));
      first = dirty.data();
    }
    Buffer buffer = pool.alloc_zeroed(size);
    BOOST_REQUIRE(buffer.data() == first);
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(all_are(buffer.span(), std::byte{0}));
    BOOST_TEST(all_are(buffer.spare(), std::byte{0xab}));
  }
}

BOOST_AUTO_TEST_CASE(c7_alloc_zeroed_does_not_write_to_zero_memory) {
  Pool pool = make_pool(one_class(2, ThreadCachePolicy::disabled(), kMiB));
  Buffer fresh = pool.alloc_zeroed(kMiB);
  BOOST_TEST(resident_pages(fresh.data(), kMiB) == 0U);
  BOOST_TEST(all_are(fresh.span(), std::byte{0}));
  fill(fresh.span(), std::byte{0xab});
  fresh.release();
  pool.flush();
  BOOST_TEST(pool.purge() >= kMiB);
  const Buffer one = pool.alloc_zeroed(kMiB);
  const Buffer other = pool.alloc_zeroed(kMiB);
  BOOST_TEST(resident_pages(one.data(), kMiB) + resident_pages(other.data(), kMiB) == 0U);
  BOOST_TEST(all_are(one.span(), std::byte{0}));
  BOOST_TEST(all_are(other.span(), std::byte{0}));
}

BOOST_AUTO_TEST_CASE(c7_alloc_zeroed_is_zero_whatever_was_done_before) {
  Pool pool = make_pool(two_classes(3).with_thread_cache(ThreadCachePolicy::exact(2)));
  for (int round = 0; round < 5; ++round) {
    std::vector<Buffer> buffers;
    for (int i = 0; i < 5; ++i) {  // two of them are not pooled
      buffers.push_back(pool.alloc_zeroed(4 * kKiB));
      BOOST_TEST(all_are(buffers.back().span(), std::byte{0}));
      fill(buffers.back().span(), std::byte{0xff});
    }
    buffers.clear();
    if (round % 2 == 1) {
      pool.flush();
      pool.purge();
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pool_alignment)

void check_alignment(const PoolConfig& config) {
  Pool pool = make_pool(config.with_max_per_class(3));
  std::vector<Buffer> buffers;
  for (const size_t size : config.sizes()) {
    for (int i = 0; i < 5; ++i) {  // two more than there are
      buffers.push_back(pool.alloc(size));
      BOOST_TEST(buffers.back().is_pooled() == (i < 3));
      BOOST_TEST(is_aligned(buffers.back().data(), config.alignment));
    }
  }
  buffers.push_back(pool.alloc(config.sizes().back() + 1));
  buffers.push_back(pool.alloc_zeroed(config.sizes().back() * 3 + 5));
  buffers.push_back(pool.alloc_len(1));
  for (const Buffer& buffer : buffers) {
    BOOST_TEST(static_cast<bool>(buffer));
    BOOST_TEST(is_aligned(buffer.data(), config.alignment));
  }
}

BOOST_AUTO_TEST_CASE(c14_powers_of_two) {
  for (size_t alignment = 1; alignment <= 4 * kKiB; alignment *= 8) {
    check_alignment(PoolConfig().with_alignment(alignment).with_sizes(4 * kKiB, 64 * kKiB));
  }
  check_alignment(PoolConfig().with_alignment(64).with_sizes(64, kKiB).with_pool_min_size(60));
}

BOOST_AUTO_TEST_CASE(c14_listed_sizes) {
  check_alignment(PoolConfig().with_classes({192, 320, 1344, 4160}));
  check_alignment(PoolConfig().with_alignment(kKiB).with_classes({3 * kKiB, 5 * kKiB, 24 * kKiB}));
  check_alignment(PoolConfig().with_alignment(8).with_classes({8, 24, 40, 1000}));
}

BOOST_AUTO_TEST_CASE(c14_more_than_a_page) {
  check_alignment(PoolConfig().with_alignment(64 * kKiB).with_sizes(64 * kKiB, 256 * kKiB));
  check_alignment(PoolConfig().with_alignment(2 * kMiB).with_sizes(2 * kMiB, 4 * kMiB));
  check_alignment(
      PoolConfig().with_alignment(64 * kKiB).with_classes({192 * kKiB, 320 * kKiB, 448 * kKiB}));
}

BOOST_AUTO_TEST_CASE(c14_also_without_pooling) {
  check_alignment(PoolConfig()
                      .with_alignment(4 * kKiB)
                      .with_sizes(4 * kKiB, 8 * kKiB)
                      .with_pool_min_size(4 * kKiB));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
