// SPDX-License-Identifier: MIT
// How many buffers there are, where the memory comes from, and that pools share nothing. Points
// C12, C13 and C16 of alloc/docs/POOL.md.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <latch>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/pool/fixture.h"
#include "test/pool/worker.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(pool_capacity)

BOOST_AUTO_TEST_CASE(c12_prefilled_buffers_are_there_and_have_memory) {
  constexpr size_t kBuffers = 20;
  for (const bool pinned : {false, true}) {
    Pool pool = make_pool(PoolConfig()
                              .with_classes({12 * kKiB, 64 * kKiB})
                              .with_max_per_class(kBuffers)
                              .with_prefill()
                              .with_pinned(pinned)
                              .with_thread_cache(ThreadCachePolicy::exact(4)));
    for (const size_t size : {12 * kKiB, 64 * kKiB}) {
      const std::vector<Buffer> buffers = take(pool, SIZE_MAX, size);
      BOOST_TEST(buffers.size() == kBuffers);
      for (const Buffer& buffer : buffers) {
        BOOST_TEST(resident_pages(buffer.data(), size) == pages_of(size));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(c12_the_last_byte_of_the_last_buffer_has_memory) {
  constexpr size_t kSize = 7 * kKiB;
  Pool pool = make_pool(
      PoolConfig().with_classes({kSize}).with_max_per_class(2).with_prefill().with_thread_cache(
          ThreadCachePolicy::disabled()));
  const std::vector<Buffer> buffers = take(pool, SIZE_MAX, kSize);
  BOOST_TEST(buffers.size() == 2U);
  for (const Buffer& buffer : buffers) {
    BOOST_TEST(resident_pages(buffer.data() + kSize - 1, 1) == 1U);
  }
}

BOOST_AUTO_TEST_CASE(c12_prefilled_buffers_are_created_but_not_allocated) {
  constexpr size_t kBuffers = 20;
  for (const size_t cache : {size_t{0}, size_t{4}}) {
    Pool pool = make_pool(one_class(kBuffers, ThreadCachePolicy::exact(cache))
                              .with_sizes(4 * kKiB, 8 * kKiB)
                              .with_prefill());
    const PoolStatistics before = pool.statistics();
    BOOST_TEST(before.allocations == 0U);
    BOOST_TEST(before.recycles == 0U);
    BOOST_TEST(before.misses == 0U);
    for (const PoolClassStatistics& each : before.classes) {
      BOOST_TEST(each.created == kBuffers);
      BOOST_TEST(each.allocations == 0U);
      BOOST_TEST(each.hits == 0U);
      BOOST_TEST(each.live == 0U);
      BOOST_TEST(each.cached == 0U);
      BOOST_TEST(each.free == kBuffers);
    }
    BOOST_TEST(take(pool).size() == kBuffers);
    BOOST_TEST(first_class(pool).created == kBuffers);
    BOOST_TEST(first_class(pool).allocations == kBuffers);
    BOOST_TEST(first_class(pool).hits == kBuffers);
    BOOST_TEST(pool.statistics().recycles == kBuffers);
  }
}

BOOST_AUTO_TEST_CASE(c12_prefilled_memory_is_zero) {
  Pool pool = make_pool(one_class(8, ThreadCachePolicy::disabled()).with_prefill());
  for (int i = 0; i < 8; ++i) {
    BOOST_TEST(all_are(pool.alloc_zeroed(4 * kKiB).span(), std::byte{0}));
    BOOST_TEST(all_are(pool.acquire(1).span(), std::byte{0}));
  }
}

BOOST_AUTO_TEST_CASE(c12_without_prefill_there_is_no_memory) {
  const Pool kept = make_pool(PoolConfig::storage());
  Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(4), kMiB));
  for (const Buffer& buffer : take(pool, SIZE_MAX, kMiB)) {
    BOOST_TEST(resident_pages(buffer.data(), kMiB) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(c12_there_are_exactly_max_per_class_in_each_class) {
  for (const bool prefill : {false, true}) {
    for (const size_t max : {size_t{1}, size_t{3}, size_t{64}, size_t{65}, size_t{200}}) {
      for (const size_t cache : {size_t{0}, size_t{1}, max / 2, max}) {
        Pool pool = make_pool(PoolConfig()
                                  .with_classes({4 * kKiB, 12 * kKiB, 20 * kKiB})
                                  .with_max_per_class(max)
                                  .with_prefill(prefill)
                                  .with_thread_cache(ThreadCachePolicy::exact(cache)));
        for (const size_t size : {4 * kKiB, 12 * kKiB, 20 * kKiB}) {
          BOOST_TEST(take(pool, SIZE_MAX, size).size() == max);
          BOOST_TEST(take(pool, SIZE_MAX, size).size() == max);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(c12_several_threads_share_what_there_is) {
  for (const bool prefill : {false, true}) {
    Pool pool = make_pool(one_class(100, ThreadCachePolicy::disabled()).with_prefill(prefill));
    std::vector<Buffer> taken[4];
    std::latch start(4);
    std::vector<std::thread> threads;
    for (std::vector<Buffer>& mine : taken) {
      threads.emplace_back([&pool, &start, &mine] {
        start.arrive_and_wait();
        mine = take(pool);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    size_t count = 0;
    for (const std::vector<Buffer>& mine : taken) {
      count += mine.size();
    }
    BOOST_TEST(count == 100U);
  }
}

BOOST_AUTO_TEST_CASE(c12_threads_begin_within_their_class_though_all_of_it_was_in_use) {
  constexpr size_t kMax = 64;  // a word of the freelist, exactly
  constexpr size_t kThreads = 8;
  constexpr size_t kEach = 3;
  const std::vector<size_t> sizes = {4 * kKiB, 12 * kKiB, 20 * kKiB};
  for (const size_t cache : {size_t{0}, size_t{4}}) {
    Pool pool = make_pool(
        PoolConfig().with_classes(sizes).with_max_per_class(kMax).with_prefill().with_thread_cache(
            ThreadCachePolicy::exact(cache)));
    std::vector<Buffer> held;
    Worker workers[kThreads];
    for (Worker& worker : workers) {
      worker.run([&] {
        for (const size_t size : sizes) {
          for (Buffer& buffer : take(pool, kEach, size)) {
            std::fill_n(buffer.data(), size, std::byte{1});
            held.push_back(std::move(buffer));
          }
        }
      });
    }
    BOOST_TEST(held.size() == kThreads * kEach * sizes.size());
    std::map<const std::byte*, size_t> places;
    for (const Buffer& buffer : held) {
      BOOST_TEST(buffer.is_pooled());
      BOOST_TEST(places.emplace(buffer.data(), buffer.capacity()).second);
    }
    const std::byte* end = nullptr;
    for (const auto& [start, size] : places) {
      BOOST_TEST((end <= start));
      end = start + size;
    }
    for (const PoolClassStatistics& each : pool.statistics().classes) {
      BOOST_TEST(each.live == kThreads * kEach);
      BOOST_TEST(each.created == kMax);
      BOOST_TEST(each.cached + each.free == kMax - kThreads * kEach);
    }
  }
}

BOOST_AUTO_TEST_CASE(c13_each_class_counts_what_it_created_and_refused) {
  Pool pool = make_pool(PoolConfig()
                            .with_sizes(4 * kKiB, 8 * kKiB)
                            .with_max_per_class(3)
                            .with_thread_cache(ThreadCachePolicy::disabled()));
  take(pool, 3, 4 * kKiB);  // three at the same time
  for (int round = 0; round < 4; ++round) {
    std::vector<Buffer> buffers = take(pool, SIZE_MAX, 4 * kKiB);
    BOOST_TEST(buffers.size() == 3U);
    BOOST_TEST(!pool.alloc(4 * kKiB).is_pooled());
  }
  { const Buffer other = pool.alloc(8 * kKiB); }
  BOOST_TEST(!pool.try_alloc(8 * kKiB + 1).has_value());
  BOOST_TEST(!pool.alloc(8 * kKiB + 1).is_pooled());

  const PoolStatistics now = pool.statistics();
  const PoolClassStatistics& small = now.classes.at(0);
  BOOST_TEST(small.allocations == 15U);
  BOOST_TEST(small.created == 3U);
  BOOST_TEST(small.hits == 12U);
  BOOST_TEST(small.exhausted == 8U);
  BOOST_TEST(small.misses() == 11U);
  const PoolClassStatistics& large = now.classes.at(1);
  BOOST_TEST(large.created == 1U);
  BOOST_TEST(large.hits == 0U);
  BOOST_TEST(large.exhausted == 0U);
  BOOST_TEST(now.oversized == 2U);
  BOOST_TEST(now.unpooled == 5U);
  BOOST_TEST(now.recycles == 12U);
}

BOOST_AUTO_TEST_CASE(c13_purged_buffers_are_created_again) {
  Pool pool = make_pool(one_class(3, ThreadCachePolicy::disabled()));
  take(pool);
  BOOST_TEST(first_class(pool).created == 3U);
  pool.purge();
  take(pool);
  BOOST_TEST(first_class(pool).created == 6U);
  BOOST_TEST(first_class(pool).hits == 0U);
}

BOOST_AUTO_TEST_CASE(c13_counters_are_complete_while_threads_live) {
  Pool pool = make_pool(one_class(16, ThreadCachePolicy::exact(4)));
  Worker worker;
  worker.run([&pool] {
    for (int i = 0; i < 100; ++i) {
      take(pool, 2);
    }
  });
  const PoolClassStatistics now = first_class(pool);
  BOOST_TEST(now.allocations == 200U);
  BOOST_TEST(now.created + now.hits == 200U);
  worker.end();
  BOOST_TEST(first_class(pool).allocations == 200U);
}

BOOST_AUTO_TEST_CASE(c16_pools_of_one_thread_share_nothing) {
  constexpr size_t kPools = 5;
  std::vector<Pool> pools;
  std::set<const std::byte*> starts[kPools];
  for (auto& mine : starts) {
    pools.push_back(make_pool(one_class(8, ThreadCachePolicy::exact(4))));
    for (const Buffer& buffer : take(pools.back())) {
      mine.insert(buffer.data());
    }
    BOOST_TEST(mine.size() == 8U);
  }
  for (int round = 0; round < 10; ++round) {
    std::vector<Buffer> buffers[kPools];
    for (int i = 0; i < 8; ++i) {
      for (size_t each = 0; each < kPools; ++each) {
        buffers[each].push_back(pools[each].alloc(1));
        BOOST_TEST(buffers[each].back().is_pooled());
        BOOST_TEST(starts[each].contains(buffers[each].back().data()));
      }
    }
    for (size_t each = 0; each < kPools; ++each) {
      BOOST_TEST(first_class(pools[each]).live == 8U);
    }
  }
  for (const Pool& pool : pools) {
    BOOST_TEST(first_class(pool).live == 0U);
    BOOST_TEST(first_class(pool).cached <= 4U);
  }
}

BOOST_AUTO_TEST_CASE(c16_flushing_one_pool_leaves_the_others) {
  Pool one = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
  Pool other = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
  for (Pool* pool : {&one, &other}) {
    std::vector<Buffer> buffers = take(*pool);
    give(buffers, 2);
    buffers.clear();
  }
  const uint64_t cached = first_class(other).cached;
  BOOST_TEST(cached > 0U);
  one.flush();
  check_places(one, 0, 0, 8);
  BOOST_TEST(first_class(other).cached == cached);
}

BOOST_AUTO_TEST_CASE(c16_a_new_pool_has_nothing_of_those_before) {
  for (int i = 0; i < 100; ++i) {
    Pool pool = make_pool(one_class(4, ThreadCachePolicy::exact(4)));
    check_places(pool, 0, 0, first_class(pool).free);
    for (int round = 0; round < 2; ++round) {
      std::vector<Buffer> buffers = take(pool);
      BOOST_TEST(buffers.size() == 4U);
      for (Buffer& buffer : buffers) {
        fill_up(buffer, std::byte{11});
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(c16_many_pools_at_a_time) {
  std::vector<std::unique_ptr<Pool>> pools;
  for (int i = 0; i < 40; ++i) {
    pools.push_back(std::make_unique<Pool>(make_pool(one_class(4, ThreadCachePolicy::exact(4)))));
  }
  std::thread([&pools] {
    for (const auto& pool : pools) {
      take(*pool);
    }
  }).join();
  while (!pools.empty()) {
    BOOST_TEST(take(*pools.back()).size() == 4U);
    pools.pop_back();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
