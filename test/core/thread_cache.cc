// The cache through an engine with one class's traffic; what the program holds is counted here.
#include "alloc/core/thread_cache.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <initializer_list>
#include <vector>

#include "test/core/fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

// What a thread does before each of its calls, in nanoseconds: next to nothing, or so much that
// misses do not matter.
constexpr uint64_t kHurry = 1;
constexpr uint64_t kLeisure = 1'000'000;

// The clock stands still: the thread turns out to have no time to lose.
struct CacheFixture : EngineFixture {
  explicit CacheFixture(CacheBudget::Config budget = kAmple)
      : CacheFixture(engine_config(budget)) {}
  explicit CacheFixture(const Engine::Config& config) : EngineFixture(config) {
    BOOST_REQUIRE(started);
    os::fake::stop_clock();
    BOOST_REQUIRE(engine.attach(anchor));
  }
  std::vector<void*> allocate_many(ClassIndex index, uint32_t count) {
    std::vector<void*> blocks;
    for (uint32_t i = 0; i < count; ++i) {
      blocks.push_back(allocate(anchor, index));
      BOOST_REQUIRE(blocks.back() != nullptr);
    }
    return blocks;
  }
  void free_all(const std::vector<void*>& blocks) {
    for (void* const block : blocks) {
      free(anchor, block);
    }
  }
  // Allocates blocks and frees them, with this much work before each call.
  void work(ClassIndex index, uint32_t count, uint64_t nanoseconds) {
    std::vector<void*> blocks;
    for (uint32_t i = 0; i < count; ++i) {
      os::fake::advance_clock(nanoseconds);
      blocks.push_back(allocate(anchor, index));
    }
    for (void* const block : blocks) {
      os::fake::advance_clock(nanoseconds);
      free(anchor, block);
    }
  }
  // More misses than the thread's pace is measured by.
  void slow_down() { work(kTwelve, 600, kLeisure); }
  uint64_t claimed() const { return snapshot().cache_capacity_bytes; }
  uint64_t misses() const { return snapshot().refills_total + snapshot().spills_total; }
  uint64_t cached(ClassIndex index) const { return snapshot().classes[raw(index)].cached; }

  ThreadAnchor anchor = new_anchor();
};

struct NoBudget : CacheFixture {
  NoBudget() : CacheFixture(CacheBudget::Config{}) {}
};
struct LongSpans : CacheFixture {
  LongSpans() : CacheFixture(engine_config(kAmple, 256 * kMiB)) {}
};
struct SmallBudget : CacheFixture {
  SmallBudget() : CacheFixture(CacheBudget::Config{.floor = 40 * kKiB}) {}
};
struct Lender : CacheFixture {
  // An interval begins.
  Lender() {
    engine.allow_borrowing(anchor);
    engine.relax_caches();
  }
};

// A thread whose bins hold nothing, so that each request is a choice among free blocks.
struct Chooser : EngineFixture {
  static constexpr std::array<uint32_t, 5> kSizes = {64 * kKiB, 80 * kKiB, 128 * kKiB, 512 * kKiB,
                                                     kMiB};
  static constexpr ClassIndex kAsked{1};
  static constexpr ClassIndex kMiBs{5};

  static Engine::Config choices(size_t span_bytes) {
    Engine::Config config = engine_config(CacheBudget::Config{}, span_bytes);
    config.block_sizes = kSizes;
    return config;
  }
  explicit Chooser(size_t span_bytes = 256 * kMiB) : EngineFixture(choices(span_bytes)) {
    BOOST_REQUIRE(started);
    os::fake::stop_clock();
    BOOST_REQUIRE(engine.attach(anchor));
  }
  // A free block with memory in each of these classes.
  void provide(std::initializer_list<uint32_t> sizes) {
    for (const uint32_t size : sizes) {
      const auto at = std::find(kSizes.begin(), kSizes.end(), size) - kSizes.begin();
      free(other, allocate(other, ClassIndex{static_cast<uint8_t>(at + 1)}));
    }
  }
  void grow_pool(uint64_t bytes) {
    while (engine.grown_bytes() < bytes) {
      BOOST_REQUIRE(allocate(other, kMiBs) != nullptr);
    }
  }
  // The size of the block that a request for one of kAsked gets; 0: none.
  uint32_t ask(uint64_t nanoseconds) {
    os::fake::advance_clock(nanoseconds);
    const void* block = allocate(anchor, kAsked);
    return block == nullptr ? 0
                            : engine.geometry()
                                  .of(engine.arena().class_of(
                                      engine.arena().granule_at(engine.arena().offset(block))))
                                  .block_size;
  }

  ThreadAnchor anchor = new_anchor();
  ThreadAnchor other = new_anchor();  // without a cache: gets what it asks for
};
struct ShortSpans : Chooser {
  ShortSpans() : Chooser(Arena::kSpanAlignment) {}
};

BOOST_AUTO_TEST_SUITE(thread_cache)

BOOST_FIXTURE_TEST_CASE(fresh_memory_is_handed_out_in_address_order, CacheFixture) {
  const auto blocks = allocate_many(kTwelve, 40);
  for (size_t i = 1; i < blocks.size(); ++i) {
    BOOST_TEST(static_cast<char*>(blocks[i]) - static_cast<char*>(blocks[i - 1]) ==
               static_cast<ptrdiff_t>(12 * kKiB));
  }
}

// How far bins grow at a pace that is slow for one of many threads.
uint64_t claimed_at_medium_pace(CacheFixture& fixture) {
  fixture.work(kTwelve, 600, 150);
  return fixture.claimed();
}

BOOST_FIXTURE_TEST_CASE(a_thread_alone_is_hurried_sooner, CacheFixture) {
  BOOST_TEST(claimed_at_medium_pace(*this) > 40 * 12 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(it_gives_back_what_it_took_for_itself_when_others_come, CacheFixture) {
  const uint64_t alone = claimed_at_medium_pace(*this);
  ThreadAnchor others[] = {new_anchor(), new_anchor(), new_anchor(), new_anchor(),
                           new_anchor(), new_anchor(), new_anchor()};
  for (ThreadAnchor& other : others) {
    BOOST_REQUIRE(engine.attach(other));
  }
  work(kTwelve, 100, 150);
  BOOST_TEST(claimed() < alone / 4);
}

BOOST_FIXTURE_TEST_CASE(one_of_many_threads_has_time_for_misses, CacheFixture) {
  ThreadAnchor others[] = {new_anchor(), new_anchor(), new_anchor(), new_anchor(),
                           new_anchor(), new_anchor(), new_anchor()};
  for (ThreadAnchor& other : others) {
    BOOST_REQUIRE(engine.attach(other));
  }
  BOOST_TEST(claimed_at_medium_pace(*this) <= 64 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(in_a_large_pool_a_thread_alone_has_time_too, LongSpans) {
  ThreadAnchor other = new_anchor();
  while (engine.grown_bytes() < 128 * kMiB) {
    BOOST_REQUIRE(allocate(other, kColoured) != nullptr);
  }
  BOOST_TEST(claimed_at_medium_pace(*this) <= 64 * kKiB);
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

BOOST_FIXTURE_TEST_CASE(an_unhurried_thread_lives_with_misses, CacheFixture) {
  slow_down();
  for (int round = 0; round < 100; ++round) {
    work(kLarge, 4, kLeisure);
    BOOST_REQUIRE(cached(kLarge) == 0U);
  }
  BOOST_TEST(claimed() == 0U);
  for (int round = 0; round < 50; ++round) {
    work(kSmall, 100, kLeisure);
  }
  BOOST_TEST(claimed() == engine.geometry().of(kSmall).first_capacity * 4 * kKiB);
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_thread_that_gets_into_a_hurry_caches_more, CacheFixture) {
  slow_down();
  const uint64_t before = misses();
  for (int round = 0; round < 50; ++round) {
    work(kLarge, 4, kLeisure);
  }
  BOOST_TEST(misses() - before == 50U * 8);
  const uint64_t at_leisure = misses();
  for (int round = 0; round < 50; ++round) {
    work(kLarge, 4, kHurry);
  }
  BOOST_TEST(misses() - at_leisure < 100U);
  BOOST_TEST(cached(kLarge) == 4U);
}

BOOST_FIXTURE_TEST_CASE(a_thread_that_slows_down_keeps_less, CacheFixture) {
  for (int round = 0; round < 20; ++round) {
    work(kColoured, 20, kHurry);
  }
  BOOST_TEST(cached(kColoured) >= 20U);
  for (int look = 0; look < 10; ++look) {
    slow_down();
  }
  for (int round = 0; round < 300; ++round) {
    work(kLarge, 4, kLeisure);
  }
  BOOST_TEST(cached(kColoured) <= 1U);
}

BOOST_FIXTURE_TEST_CASE(a_thread_is_not_hurried_until_that_is_measured, CacheFixture) {
  for (int i = 0; i < 8; ++i) {
    work(kLarge, 1, kHurry);
  }
  BOOST_TEST(misses() == 16U);
  BOOST_TEST(claimed() == 0U);
  work(kLarge, 1, kHurry);
  BOOST_TEST(cached(kLarge) == 1U);
}

BOOST_FIXTURE_TEST_CASE(blocks_freed_for_others_are_a_hurry_too, CacheFixture) {
  ThreadAnchor other = new_anchor();
  for (int i = 0; i < 18; ++i) {
    os::fake::advance_clock(kHurry);
    free(anchor, allocate(other, kLarge));
  }
  BOOST_TEST(cached(kLarge) > 0U);
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
  BOOST_TEST(central.count_clean() >= 60U);
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

BOOST_FIXTURE_TEST_CASE(relaxing_empties_the_cache_of_a_thread_that_did_nothing_since, Lender) {
  for (int round = 0; round < 5; ++round) {
    free_all(allocate_many(kSmall, 50));
  }
  free_all(allocate_many(kLarge, 2));
  engine.relax_caches();
  BOOST_TEST(cached(kSmall) > 0U);
  BOOST_TEST(cached(kLarge) > 0U);
  engine.relax_caches();
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(claimed() == 0U);
  BOOST_TEST(engine.class_at(kSmall).count_free() == engine.class_at(kSmall).grown());
  free_all(allocate_many(kSmall, 50));
  BOOST_TEST(cached(kSmall) > 0U);
  BOOST_TEST(snapshot().thread_caches == 1U);
}

BOOST_FIXTURE_TEST_CASE(relaxing_halves_the_bins_of_a_thread_that_became_slow, Lender) {
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kLarge, 8));
  }
  BOOST_TEST(cached(kLarge) == 8U);
  for (const uint64_t at_least : {4U, 2U, 1U, 0U}) {
    work(kSmall, 1, kLeisure);
    const uint64_t before = cached(kLarge);
    engine.relax_caches();
    BOOST_TEST(cached(kLarge) >= at_least);
    BOOST_TEST(cached(kLarge) <= before);
  }
  work(kSmall, 1, kLeisure);
  engine.relax_caches();
  BOOST_TEST(cached(kLarge) == 0U);
  BOOST_TEST(cached(kSmall) > 0U);
}

BOOST_FIXTURE_TEST_CASE(relaxing_leaves_bins_in_use_alone, Lender) {
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kTwelve, 30));
  }
  const uint64_t before = misses();
  const uint64_t capacity = claimed();
  for (int round = 0; round < 10; ++round) {
    free_all(allocate_many(kTwelve, 30));
    engine.relax_caches();
  }
  BOOST_TEST(misses() == before);
  BOOST_TEST(claimed() == capacity);
}

BOOST_FIXTURE_TEST_CASE(relaxing_notices_that_a_thread_slowed_down, Lender) {
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kTwelve, 30));
  }
  engine.relax_caches();
  const uint64_t hurried = claimed();
  const uint64_t before = misses();
  work(kTwelve, 1, kLeisure);
  BOOST_TEST(misses() == before);  // its bin fits
  engine.relax_caches();
  BOOST_TEST(claimed() < hurried);
  BOOST_TEST(cached(kTwelve) > 0U);
}

BOOST_FIXTURE_TEST_CASE(what_relaxing_gives_away_is_no_work_of_the_thread, Lender) {
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kTwelve, 30));
  }
  os::fake::advance_clock(1'000'000'000);
  engine.relax_caches();  // shrinks: it was not that much work for a second
  engine.relax_caches();
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
}

BOOST_FIXTURE_TEST_CASE(in_the_smallest_pools_the_largest_block_serves, Chooser) {
  BOOST_TEST(ask(kLeisure) == 512 * kKiB);  // untouched
  provide({64 * kKiB, 80 * kKiB, 128 * kKiB, 512 * kKiB, kMiB});
  for (const size_t expected : {512 * kKiB, 128 * kKiB, 80 * kKiB, 64 * kKiB, 512 * kKiB}) {
    BOOST_TEST(ask(kLeisure) == expected);
  }
}

BOOST_FIXTURE_TEST_CASE(in_small_pools_up_to_twice_the_size_serves, Chooser) {
  grow_pool(16 * kMiB);
  provide({64 * kKiB, 80 * kKiB, 128 * kKiB, 512 * kKiB, kMiB});
  for (const size_t expected : {64 * kKiB, 80 * kKiB, 128 * kKiB, 64 * kKiB}) {
    BOOST_TEST(ask(kLeisure) == expected);
  }
}

BOOST_FIXTURE_TEST_CASE(in_large_pools_only_the_own_class_serves, Chooser) {
  grow_pool(128 * kMiB);
  provide({64 * kKiB, 80 * kKiB, 128 * kKiB, 512 * kKiB, kMiB});
  for (const size_t expected : {64 * kKiB, 64 * kKiB}) {
    BOOST_TEST(ask(kLeisure) == expected);
  }
}

BOOST_FIXTURE_TEST_CASE(a_hurried_thread_gets_what_it_asks_for, Chooser) {
  for (int i = 0; i < 17; ++i) {
    ask(kHurry);
  }
  provide({128 * kKiB, 512 * kKiB});
  BOOST_TEST(ask(kHurry) == 64 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(a_full_larger_class_leaves_the_own_one, ShortSpans) {
  uint32_t got = 0;
  while (got < 1000 && ask(kLeisure) != 0) {
    ++got;
  }
  BOOST_TEST(got >= engine.geometry().of(kAsked).slots);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
