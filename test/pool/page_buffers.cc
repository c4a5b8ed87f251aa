// SPDX-License-Identifier: MIT
// A pool of byte buffers by pages: each request gets all of a class's buffer, zeroed.
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/pool/page_buffers.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(page_buffers)

BOOST_FIXTURE_TEST_CASE(a1_nine_classes_of_powers_of_two, PageBuffers) {
  const std::vector<PoolClassStatistics> classes = pool.statistics().classes;
  BOOST_REQUIRE(classes.size() == 9U);
  for (size_t i = 0; i < classes.size(); ++i) {
    BOOST_TEST(classes[i].size == size_t{4096} << i);
  }
}

BOOST_FIXTURE_TEST_CASE(a1_a_request_takes_the_smallest_class_that_fits, PageBuffers) {
  const std::pair<size_t, size_t> cases[] = {
      {0, 4096}, {1, 4096}, {4096, 4096}, {8193, 16384}, {65537, 131072}};
  for (const auto& [asked, expected] : cases) {
    BOOST_TEST(pool.acquire(asked).capacity() == expected);
    BOOST_TEST(pool.alloc(asked).capacity() == expected);
  }
  for (size_t size = 4096; size <= kLargest; size *= 2) {
    BOOST_TEST(pool.acquire(size - 1).capacity() == size);
    BOOST_TEST(pool.acquire(size).capacity() == size);
    if (size < kLargest) {
      BOOST_TEST(pool.acquire(size + 1).capacity() == 2 * size);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a2_a_fresh_buffer_is_whole_and_zero, PageBuffers) {
  for (size_t size = 4096; size <= kLargest; size *= 2) {
    const Buffer buffer = pool.acquire(size - 100);
    BOOST_TEST(buffer.is_pooled());
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(buffer.capacity() == size);
    BOOST_TEST(is_zero(buffer));
  }
}

BOOST_FIXTURE_TEST_CASE(a2_a_reused_buffer_is_whole_and_zero, PageBuffers) {
  for (size_t size = 4096; size <= kLargest; size *= 2) {
    Buffer dirty = pool.acquire(size);
    const std::byte* const before = dirty.data();
    fill(dirty.span(), std::byte{0xaa});
    dirty.release();
    const Buffer buffer = pool.acquire(size - 100);
    BOOST_TEST(buffer.data() == before);
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(buffer.capacity() == size);
    BOOST_TEST(is_zero(buffer));
  }
}

BOOST_FIXTURE_TEST_CASE(a2_so_is_each_of_a_class_that_was_used_up, FourOfEach) {
  for (int round = 0; round < 3; ++round) {
    std::vector<Buffer> buffers = acquire_many(4, 8192);
    for (Buffer& buffer : buffers) {
      BOOST_TEST(buffer.size() == 8192U);
      BOOST_TEST(is_zero(buffer));
      fill(buffer.span(), std::byte{0xff});
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a3_the_end_of_the_scope_gives_a_buffer_back, PageBuffers) {
  {
    const Buffer buffer = pool.acquire(4096);
    BOOST_TEST(class_of(4096).live == 1U);
  }
  BOOST_TEST(class_of(4096).live == 0U);
  const Buffer again = pool.acquire(4096);
  BOOST_TEST(pool.statistics().recycles == 1U);
}

BOOST_FIXTURE_TEST_CASE(a3_moving_gives_back_what_is_replaced_and_nothing_else, PageBuffers) {
  Buffer one = pool.acquire(4096);
  Buffer other = pool.acquire(8192);
  const std::byte* const data = other.data();
  one = std::move(other);
  BOOST_TEST(class_of(4096).live == 0U);
  BOOST_TEST(class_of(8192).live == 1U);
  BOOST_TEST(one.data() == data);
  const Buffer last(std::move(one));
  BOOST_TEST(class_of(8192).live == 1U);
  BOOST_TEST(last.data() == data);
}

BOOST_FIXTURE_TEST_CASE(a3_any_thread_may_destroy_a_buffer, PageBuffers) {
  std::vector<Buffer> buffers = acquire_many(64, 4096);
  BOOST_REQUIRE(count_pooled(buffers) == 64U);
  std::thread([theirs = std::move(buffers)]() mutable { theirs.clear(); }).join();
  BOOST_TEST(class_of(4096).live == 0U);
  const std::vector<Buffer> again = acquire_many(64, 4096);
  BOOST_TEST(count_pooled(again) == 64U);
  BOOST_TEST(pool.statistics().recycles == 64U);
}

BOOST_FIXTURE_TEST_CASE(a3_threads_destroy_each_others_buffers, PageBuffers) {
  constexpr size_t kThreads = 4;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::vector<Buffer>> piles(kThreads);
    std::vector<std::thread> threads;
    for (std::vector<Buffer>& pile : piles) {
      threads.emplace_back([this, &pile] {
        for (size_t i = 0; i < 12; ++i) {
          pile.push_back(pool.acquire(size_t{4096} << (i % 3)));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    threads.clear();
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&pile = piles[(i + 1) % kThreads]] { pile.clear(); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  for (const PoolClassStatistics& one : pool.statistics().classes) {
    BOOST_TEST(one.live == 0U);
  }
  const PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.allocations == 20U * kThreads * 12);
  BOOST_TEST(statistics.allocations == statistics.recycles + statistics.misses);
  BOOST_TEST(count_pooled(acquire_many(64, 4096)) == 64U);
}

BOOST_FIXTURE_TEST_CASE(a4_what_exceeds_the_class_is_unpooled, FourOfEach) {
  const std::vector<Buffer> buffers = acquire_many(7, 5000);
  BOOST_TEST(count_pooled(buffers) == 4U);
  for (const Buffer& buffer : buffers) {
    BOOST_TEST(buffer.size() == (buffer.is_pooled() ? 8192U : 5000U));
    BOOST_TEST(buffer.capacity() == buffer.size());
    BOOST_TEST(is_zero(buffer));
  }
  const PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.unpooled == 3U);
  BOOST_TEST(statistics.oversized == 0U);
  BOOST_TEST(class_of(8192).live == 4U);
  BOOST_TEST(class_of(8192).exhausted == 3U);
}

BOOST_FIXTURE_TEST_CASE(a4_no_more_than_the_class_is_kept, FourOfEach) {
  acquire_many(7, 8192).clear();
  const PoolClassStatistics idle = class_of(8192);
  BOOST_TEST(idle.live == 0U);
  BOOST_TEST(idle.cached + idle.free == 4U);
  const std::vector<Buffer> again = acquire_many(7, 8192);
  BOOST_TEST(count_pooled(again) == 4U);
  const PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.recycles == 4U);
  BOOST_TEST(statistics.misses == 7U + 3U);
  BOOST_TEST(statistics.unpooled == 6U);
}

BOOST_FIXTURE_TEST_CASE(a4_classes_are_kept_apart, FourOfEach) {
  const std::vector<Buffer> small = acquire_many(5, 4096);
  const std::vector<Buffer> large = acquire_many(5, 8192);
  BOOST_TEST(count_pooled(small) == 4U);
  BOOST_TEST(count_pooled(large) == 4U);
}

BOOST_FIXTURE_TEST_CASE(a5_above_the_largest_class_it_is_exactly_the_size_asked, PageBuffers) {
  for (uint64_t round = 1; round <= 3; ++round) {
    Buffer buffer = pool.acquire(kLargest + round);
    BOOST_TEST(!buffer.is_pooled());
    BOOST_TEST(buffer.size() == kLargest + round);
    BOOST_TEST(buffer.capacity() == kLargest + round);
    BOOST_TEST(is_zero(buffer));
    fill(buffer.span(), std::byte{0xaa});
    const PoolStatistics statistics = pool.statistics();
    BOOST_TEST(statistics.allocations == round);
    BOOST_TEST(statistics.misses == round);
    BOOST_TEST(statistics.oversized == round);
    BOOST_TEST(statistics.unpooled == round);
    BOOST_TEST(statistics.recycles == 0U);
  }
  for (const PoolClassStatistics& one : pool.statistics().classes) {
    BOOST_TEST(one.allocations == 0U);
    BOOST_TEST(one.exhausted == 0U);
    BOOST_TEST(one.cached == 0U);
  }
}

BOOST_FIXTURE_TEST_CASE(a5_what_no_system_has_is_an_empty_buffer, PageBuffers) {
  for (const size_t size : {SIZE_MAX, SIZE_MAX - 4096, SIZE_MAX / 2}) {
    const Buffer buffer = pool.alloc(size);
    BOOST_TEST(!buffer);
    BOOST_TEST(buffer.capacity() == 0U);
  }
}

BOOST_FIXTURE_TEST_CASE(a6_nothing_asked_is_all_zero, PageBuffers) {
  const PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.allocations == 0U);
  BOOST_TEST(statistics.recycles == 0U);
  BOOST_TEST(statistics.misses == 0U);
  BOOST_TEST(statistics.recycle_rate() == 0.0);
}

BOOST_FIXTURE_TEST_CASE(a6_the_first_is_a_miss_the_second_a_recycle, PageBuffers) {
  pool.acquire(4096).release();
  PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.allocations == 1U);
  BOOST_TEST(statistics.misses == 1U);
  BOOST_TEST(statistics.recycles == 0U);
  pool.acquire(4096).release();
  statistics = pool.statistics();
  BOOST_TEST(statistics.allocations == 2U);
  BOOST_TEST(statistics.misses == 1U);
  BOOST_TEST(statistics.recycles == 1U);
  BOOST_TEST(statistics.recycle_rate() == 0.5);
}

BOOST_FIXTURE_TEST_CASE(a6_every_allocation_is_a_recycle_or_a_miss, FourOfEach) {
  std::vector<std::thread> threads;
  for (size_t seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([this, seed] {
      std::vector<Buffer> held(6);
      size_t random = seed;
      for (int i = 0; i < 3000; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const size_t size = size_t{2048} << (random >> 40) % 11;  // beyond the largest, too
        held[(random >> 50) % held.size()] = pool.alloc(size);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.allocations == 4U * 3000);
  BOOST_TEST(statistics.allocations == statistics.recycles + statistics.misses);
  uint64_t pooled = 0;
  uint64_t hits = 0;
  uint64_t exhausted = 0;
  for (const PoolClassStatistics& one : statistics.classes) {
    BOOST_TEST(one.allocations == one.created + one.hits);
    BOOST_TEST(one.created >= 1U);
    BOOST_TEST(one.live == 0U);
    BOOST_TEST(one.cached + one.free <= 4U);
    pooled += one.allocations;
    hits += one.hits;
    exhausted += one.exhausted;
  }
  BOOST_TEST(statistics.oversized > 0U);
  BOOST_TEST(statistics.recycles == hits);
  BOOST_TEST(statistics.unpooled == statistics.oversized + exhausted);
  BOOST_TEST(statistics.allocations == pooled + statistics.unpooled);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
