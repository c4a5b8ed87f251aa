// SPDX-License-Identifier: MIT
// Bins: what they hold, how they grow within their bounds and the budget.
#include "alloc/core/thread_cache.h"

#include <boost/test/unit_test.hpp>

#include "test/core/thread_cache_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(thread_cache)

BOOST_FIXTURE_TEST_CASE(fresh_slots_are_handed_out_in_address_order, CacheFixture<SlotStore>) {
  const auto blocks = allocate_many(kTwelve, 40);
  for (size_t i = 1; i < blocks.size(); ++i) {
    BOOST_TEST(offset(blocks[i]) - offset(blocks[i - 1]) == 12 * kKiB);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_last_block_freed_comes_back_first, Store, Stores) {
  CacheFixture<Store> f;
  const auto blocks = f.allocate_many(kSmall, 3);
  f.free(f.thread_state, blocks[1]);
  f.free(f.thread_state, blocks[0]);
  BOOST_TEST(f.allocate(f.thread_state, kSmall) == blocks[0]);
  BOOST_TEST(f.allocate(f.thread_state, kSmall) == blocks[1]);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_pair_misses_once, Store, Stores) {
  CacheFixture<Store> f;
  for (int i = 0; i < 1000; ++i) {
    f.work(kTwelve, 1, kFast);
  }
  BOOST_TEST(f.snapshot().refills_total == 1U);
  BOOST_TEST(f.snapshot().spills_total == 0U);
  BOOST_TEST(f.snapshot().allocations_total == 1000U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(missing_both_ways_makes_a_bin_grow_until_it_fits, Store, Stores) {
  CacheFixture<Store> f;
  for (int round = 0; round < 60; ++round) {
    f.work(kSmall, 60, kFast);
  }
  const uint64_t before = f.misses();
  f.work(kSmall, 60, kFast);
  BOOST_TEST(f.misses() == before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_bin_never_holds_more_than_its_stack, Store, Stores) {
  CacheFixture<Store> f;
  const Geometry& geometry = f.engine.geometry();
  for (int round = 0; round < 20; ++round) {
    f.free_all(f.allocate_many(kSmall, 2000));
  }
  BOOST_TEST(f.cached(kSmall) <= geometry.of(kSmall).max_capacity);
  BOOST_TEST(f.snapshot().classes[raw(kSmall)].live == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_idle_bin_gives_its_blocks_and_its_capacity_back, Store, Stores) {
  CacheFixture<Store> f;
  for (int round = 0; round < 10; ++round) {
    f.free_all(f.allocate_many(kLarge, 8));
  }
  BOOST_TEST(f.cached(kLarge) > 0U);
  for (int round = 0; round < 200; ++round) {
    f.free_all(f.allocate_many(kSmall, 1000));
  }
  BOOST_TEST(f.cached(kLarge) == 0U);
  BOOST_TEST(f.claimed() <= 256 * 4 * kKiB);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(flush_leaves_nothing_behind, Store, Stores) {
  CacheFixture<Store> f;
  f.free_all(f.allocate_many(kSmall, 50));
  BOOST_TEST(f.claimed() > 0U);
  f.engine.flush(f.thread_state);
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(f.claimed() == 0U);
  BOOST_TEST(f.everything_is_free());
  f.free_all(f.allocate_many(kSmall, 50));
}

BOOST_FIXTURE_TEST_CASE(untouched_blocks_stay_clean_when_flushed, CacheFixture<PageHeap>) {
  free(thread_state, allocate(thread_state, kSmall));
  BOOST_TEST(cached(kSmall) > 1U);
  engine.flush(thread_state);
  BOOST_TEST(engine.store().free_bytes().dirty() > 0U);
  BOOST_TEST(engine.store().free_bytes().dirty() <= 2 * kGranuleSize);  // pages of one block
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_a_budget_every_block_goes_straight_to_the_freelist, Store,
                              Stores) {
  CacheFixture<Store> f(kNoBudget);
  f.free_all(f.allocate_many(kSmall, 50));
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(f.snapshot().pool_live_bytes == 0U);
  BOOST_TEST(f.snapshot().allocations_total == 50U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_budget_bounds_all_bins_together, Store, Stores) {
  CacheFixture<Store> f(CacheBudget::Config{.floor = 40 * kKiB});
  for (int round = 0; round < 10; ++round) {
    f.free_all(f.allocate_many(kSmall, 100));
    f.free_all(f.allocate_many(kTwelve, 100));
    f.free_all(f.allocate_many(kLarge, 4));
    BOOST_TEST(f.claimed() <= 40 * kKiB);
    BOOST_TEST(f.snapshot().pool_cached_bytes <= 40 * kKiB);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
