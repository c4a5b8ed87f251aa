// Bins: what they hold, how they grow within their bounds and the budget.
#include "alloc/core/thread_cache.h"

#include <boost/test/unit_test.hpp>

#include "test/core/thread_cache_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(thread_cache)

BOOST_FIXTURE_TEST_CASE(fresh_memory_is_handed_out_in_address_order, CacheFixture) {
  const auto blocks = allocate_many(kTwelve, 40);
  for (size_t i = 1; i < blocks.size(); ++i) {
    BOOST_TEST(static_cast<char*>(blocks[i]) - static_cast<char*>(blocks[i - 1]) ==
               static_cast<ptrdiff_t>(12 * kKiB));
  }
}

BOOST_FIXTURE_TEST_CASE(the_last_block_freed_comes_back_first, CacheFixture) {
  const auto blocks = allocate_many(kSmall, 3);
  free(anchor, blocks[1]);
  free(anchor, blocks[0]);
  BOOST_TEST(allocate(anchor, kSmall) == blocks[0]);
  BOOST_TEST(allocate(anchor, kSmall) == blocks[1]);
}

BOOST_FIXTURE_TEST_CASE(one_pair_misses_once, CacheFixture) {
  for (int i = 0; i < 1000; ++i) {
    work(kColoured, 1, kHurry);
  }
  BOOST_TEST(snapshot().refills_total == 1U);
  BOOST_TEST(snapshot().spills_total == 0U);
  BOOST_TEST(snapshot().allocations_total == 1000U);
}

BOOST_FIXTURE_TEST_CASE(missing_both_ways_makes_a_bin_grow_until_it_fits, CacheFixture) {
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kSmall, 100));
  }
  const uint64_t before = misses();
  free_all(allocate_many(kSmall, 100));
  BOOST_TEST(misses() == before);
}

BOOST_FIXTURE_TEST_CASE(a_bin_never_holds_more_than_its_stack, CacheFixture) {
  const Geometry& geometry = engine.geometry();
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kSmall, 2000));
  }
  BOOST_TEST(cached(kSmall) <= geometry.of(kSmall).most_capacity);
  BOOST_TEST(snapshot().classes[raw(kSmall)].live == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_idle_bin_gives_its_blocks_and_its_capacity_back, CacheFixture) {
  for (int round = 0; round < 10; ++round) {
    free_all(allocate_many(kLarge, 8));
  }
  BOOST_TEST(cached(kLarge) > 0U);
  for (int round = 0; round < 200; ++round) {
    free_all(allocate_many(kSmall, 1000));
  }
  BOOST_TEST(cached(kLarge) == 0U);
  BOOST_TEST(claimed() <= 256 * 4 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(flush_leaves_nothing_behind, CacheFixture) {
  free_all(allocate_many(kSmall, 50));
  BOOST_TEST(claimed() > 0U);
  engine.flush(anchor);
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(claimed() == 0U);
  BOOST_TEST(engine.class_at(kSmall).count_free() == engine.class_at(kSmall).grown());
  free_all(allocate_many(kSmall, 50));
}

BOOST_FIXTURE_TEST_CASE(untouched_blocks_stay_clean_when_flushed, CacheFixture) {
  free(anchor, allocate(anchor, kSmall));
  engine.flush(anchor);
  const Central& central = engine.class_at(kSmall);
  BOOST_TEST(central.grown() == 64U);  // a line of state bytes
  const uint32_t refilled = engine.geometry().of(kSmall).first_capacity / 2;
  BOOST_TEST(central.count_clean() >= central.grown() - refilled);
  BOOST_TEST(central.count_clean() + central.count_warm() == central.grown());
}

BOOST_FIXTURE_TEST_CASE(without_a_budget_every_block_goes_straight_to_the_freelist, NoBudget) {
  free_all(allocate_many(kSmall, 50));
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
  BOOST_TEST(snapshot().allocations_total == 50U);
}

BOOST_FIXTURE_TEST_CASE(a_budget_bounds_all_bins_together, SmallBudget) {
  for (int round = 0; round < 10; ++round) {
    free_all(allocate_many(kSmall, 100));
    free_all(allocate_many(kTwelve, 100));
    free_all(allocate_many(kLarge, 4));
    BOOST_TEST(claimed() <= 40 * kKiB);
    BOOST_TEST(snapshot().pool_cached_bytes <= 40 * kKiB);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
