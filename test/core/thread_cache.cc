// The cache through an engine with one class's traffic; what the program holds is counted here.
#include "alloc/core/thread_cache.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "test/core/fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

struct CacheFixture : EngineFixture {
  explicit CacheFixture(int64_t budget = CacheBudget::kAdaptive) : EngineFixture(budget) {
    BOOST_REQUIRE(started);
    BOOST_REQUIRE(engine.attach(anchor));
  }
  std::vector<Granule> allocate_many(ClassIndex index, uint32_t count) {
    std::vector<Granule> blocks;
    for (uint32_t i = 0; i < count; ++i) {
      blocks.push_back(allocate(anchor, index));
      BOOST_REQUIRE(blocks.back() != kNoGranule);
    }
    return blocks;
  }
  void free_all(const std::vector<Granule>& blocks) {
    for (const Granule block : blocks) {
      free(anchor, block);
    }
  }
  uint64_t claimed() const { return snapshot().cache_capacity_bytes; }

  ThreadAnchor anchor = new_anchor();
};

struct NoBudget : CacheFixture {
  NoBudget() : CacheFixture(0) {}
};
struct SmallBudget : CacheFixture {
  SmallBudget() : CacheFixture(static_cast<int64_t>(40 * kKiB)) {}
};

BOOST_AUTO_TEST_SUITE(thread_cache)

BOOST_FIXTURE_TEST_CASE(fresh_memory_is_handed_out_in_address_order, CacheFixture) {
  const auto blocks = allocate_many(kTwelve, 40);
  for (size_t i = 1; i < blocks.size(); ++i) {
    BOOST_TEST(raw(blocks[i]) == raw(blocks[i - 1]) + 3);
  }
}

BOOST_FIXTURE_TEST_CASE(the_last_block_freed_comes_back_first, CacheFixture) {
  const auto blocks = allocate_many(kSmall, 3);
  free(anchor, blocks[1]);
  free(anchor, blocks[0]);
  BOOST_TEST(raw(allocate(anchor, kSmall)) == raw(blocks[0]));
  BOOST_TEST(raw(allocate(anchor, kSmall)) == raw(blocks[1]));
}

BOOST_FIXTURE_TEST_CASE(one_pair_misses_once, CacheFixture) {
  for (int i = 0; i < 1000; ++i) {
    free(anchor, allocate(anchor, kLarge));
  }
  BOOST_TEST(snapshot().refills_total == 1U);
  BOOST_TEST(snapshot().spills_total == 0U);
  BOOST_TEST(snapshot().allocations_total == 1000U);
}

BOOST_FIXTURE_TEST_CASE(missing_both_ways_makes_a_bin_grow_until_it_fits, CacheFixture) {
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kSmall, 100));
  }
  const uint64_t misses = snapshot().refills_total + snapshot().spills_total;
  free_all(allocate_many(kSmall, 100));
  BOOST_TEST(snapshot().refills_total + snapshot().spills_total == misses);
}

BOOST_FIXTURE_TEST_CASE(a_bin_never_holds_more_than_its_stack, CacheFixture) {
  const Geometry& geometry = engine.geometry();
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kSmall, 2000));
  }
  BOOST_TEST(snapshot().classes[raw(kSmall)].cached <= geometry.of(kSmall).most_capacity);
  BOOST_TEST(snapshot().classes[raw(kSmall)].live == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_idle_bin_gives_its_blocks_and_its_capacity_back, CacheFixture) {
  for (int round = 0; round < 10; ++round) {
    free_all(allocate_many(kLarge, 8));
  }
  BOOST_TEST(snapshot().classes[raw(kLarge)].cached > 0U);
  for (int round = 0; round < 200; ++round) {
    free_all(allocate_many(kSmall, 1000));
  }
  BOOST_TEST(snapshot().classes[raw(kLarge)].cached == 0U);
  BOOST_TEST(claimed() <= 256 * 4 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(flush_leaves_nothing_behind, CacheFixture) {
  free_all(allocate_many(kSmall, 50));
  engine.flush(anchor);
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(claimed() == 0U);
  BOOST_TEST(snapshot().classes[raw(kSmall)].free == snapshot().classes[raw(kSmall)].grown);
  free_all(allocate_many(kSmall, 50));
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
