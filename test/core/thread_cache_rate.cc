// SPDX-License-Identifier: MIT
// How the allocation rate of a thread decides what its cache may hold.
#include <boost/test/unit_test.hpp>

#include "alloc/core/thread_cache.h"
#include "test/core/thread_cache_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(thread_cache_rate)

// What a thread that is not fast may hold of a class.
uint64_t kept_when_slow(const HeapCacheFixture& fixture, ClassIndex index) {
  const ClassGeometry& geometry = fixture.engine.geometry().of(index);
  return uint64_t{geometry.first_capacity} * geometry.block_size;
}

// 12 KiB in 300 ns can be written to, 1 MiB cannot.
BOOST_FIXTURE_TEST_CASE(a_thread_that_may_write_to_its_blocks_has_time_for_misses,
                        HeapCacheFixture) {
  work(kTwelve, 600, 150);
  BOOST_TEST(claimed() == kept_when_slow(*this, kTwelve));
}

BOOST_FIXTURE_TEST_CASE(a_thread_that_cannot_have_written_to_its_blocks_is_fast, HeapCacheFixture) {
  for (int round = 0; round < 20; ++round) {
    work(kLarge, 4, 150);
  }
  BOOST_TEST(cached(kLarge) > 0U);
}

BOOST_FIXTURE_TEST_CASE(a_slow_thread_lives_with_misses, HeapCacheFixture) {
  slow_down();
  for (int round = 0; round < 100; ++round) {
    work(kLarge, 4, kSlowNs);
    BOOST_REQUIRE(cached(kLarge) == 0U);
  }
  BOOST_TEST(claimed() == 0U);
  for (int round = 0; round < 50; ++round) {
    work(kSmall, 100, kSlowNs);
  }
  BOOST_TEST(claimed() == kept_when_slow(*this, kSmall));
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
}

// A busy thread may keep two blocks of 12 KiB.
struct BusyFixture : HeapCacheFixture {
  BusyFixture() : HeapCacheFixture(config()) {}
  static EngineFixture<PageHeap>::Config config() {
    EngineFixture<PageHeap>::Config config = engine_config<PageHeap>();
    config.bins = {.slow_bytes = 8 * kKiB, .busy_bytes = 2 * kBlockSizes[raw(kTwelve) - 1]};
    return config;
  }
  static constexpr uint64_t kWork = 1000;
};

BOOST_FIXTURE_TEST_CASE(a_busy_thread_keeps_what_it_misses_in_both_directions, BusyFixture) {
  slow_down();
  BOOST_TEST(claimed() == 0U);
  for (int round = 0; round < 50; ++round) {
    work(kTwelve, 2, kWork);
  }
  BOOST_TEST(cached(kTwelve) == 2U);
  const uint64_t before = misses();
  for (int round = 0; round < 50; ++round) {
    work(kTwelve, 2, kWork);
  }
  BOOST_TEST(misses() == before);
  BOOST_TEST(claimed() == 2 * kBlockSizes[raw(kTwelve) - 1]);
}

// Its bin fits: the thread misses no more, and only the scavenger sees its rate.
BOOST_FIXTURE_TEST_CASE(relaxing_notices_that_a_busy_thread_slowed_down, BusyFixture) {
  engine.allow_draining(thread_state);
  for (int round = 0; round < 50; ++round) {
    work(kTwelve, 2, kWork);
  }
  engine.relax_caches();
  work(kTwelve, 2, kWork);
  engine.relax_caches();
  BOOST_TEST(cached(kTwelve) == 2U);
  const uint64_t before = misses();
  for (int interval = 0; interval < 2; ++interval) {
    work(kTwelve, 1, kSlowNs);
    engine.relax_caches();
  }
  BOOST_TEST(misses() == before);
  BOOST_TEST(claimed() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_busy_thread_that_slows_down_gives_it_back, BusyFixture) {
  for (int round = 0; round < 50; ++round) {
    work(kTwelve, 2, kWork);
  }
  BOOST_TEST(cached(kTwelve) == 2U);
  for (int round = 0; round < 300; ++round) {
    work(kLarge, 4, kSlowNs);
  }
  BOOST_TEST(cached(kTwelve) == 0U);
  BOOST_TEST(claimed() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_thread_that_becomes_fast_caches_more, HeapCacheFixture) {
  slow_down();
  const uint64_t before = misses();
  for (int round = 0; round < 50; ++round) {
    work(kColoured, 4, kSlowNs);
  }
  BOOST_TEST(misses() - before == 50U * 8);
  const uint64_t slow_misses = misses();
  for (int round = 0; round < 50; ++round) {
    work(kColoured, 4, kFast);
  }
  BOOST_TEST(misses() - slow_misses < 100U);
  BOOST_TEST(cached(kColoured) == 4U);
}

BOOST_FIXTURE_TEST_CASE(a_thread_that_slows_down_keeps_less, HeapCacheFixture) {
  for (int round = 0; round < 20; ++round) {
    work(kColoured, 8, kFast);
  }
  BOOST_TEST(cached(kColoured) >= 8U);
  for (int look = 0; look < 10; ++look) {
    slow_down();
  }
  for (int round = 0; round < 300; ++round) {
    work(kLarge, 4, kSlowNs);
  }
  BOOST_TEST(cached(kColoured) <= 1U);
}

BOOST_FIXTURE_TEST_CASE(a_thread_is_not_fast_until_that_is_measured, HeapCacheFixture) {
  for (int i = 0; i < 8; ++i) {
    work(kLarge, 1, kFast);
  }
  BOOST_TEST(misses() == 16U);
  BOOST_TEST(claimed() == 0U);
  work(kLarge, 1, kFast);
  BOOST_TEST(cached(kLarge) == 1U);
}

BOOST_FIXTURE_TEST_CASE(blocks_freed_for_others_do_not_count, HeapCacheFixture) {
  ThreadState other = new_state();
  for (int i = 0; i < 40; ++i) {
    os::fake::advance_clock(kFast);
    free(thread_state, allocate(other, kLarge));
  }
  BOOST_TEST(cached(kLarge) == 0U);
}

BOOST_FIXTURE_TEST_CASE(relaxing_empties_the_cache_of_a_thread_that_did_nothing_since, Drained) {
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
  BOOST_TEST(everything_is_free());
  free_all(allocate_many(kSmall, 50));
  BOOST_TEST(cached(kSmall) > 0U);
  BOOST_TEST(snapshot().thread_caches == 1U);
}

BOOST_FIXTURE_TEST_CASE(relaxing_halves_the_bins_of_a_thread_that_became_slow, Drained) {
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kColoured, 8));
  }
  BOOST_TEST(cached(kColoured) >= 8U);
  for (const uint64_t at_least : {4U, 2U, 1U, 0U}) {
    work(kSmall, 1, kSlowNs);
    const uint64_t before = cached(kColoured);
    engine.relax_caches();
    BOOST_TEST(cached(kColoured) >= at_least);
    BOOST_TEST(cached(kColoured) <= before);
  }
  work(kSmall, 1, kSlowNs);
  engine.relax_caches();
  BOOST_TEST(cached(kColoured) == 0U);
  BOOST_TEST(cached(kSmall) > 0U);
}

BOOST_FIXTURE_TEST_CASE(relaxing_leaves_bins_in_use_alone, Drained) {
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

BOOST_FIXTURE_TEST_CASE(relaxing_notices_that_a_thread_slowed_down, Drained) {
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kTwelve, 30));
  }
  engine.relax_caches();
  const uint64_t fast = claimed();
  const uint64_t before = misses();
  work(kTwelve, 1, kSlowNs);
  BOOST_TEST(misses() == before);  // its bin fits
  engine.relax_caches();
  BOOST_TEST(claimed() < fast);
  BOOST_TEST(cached(kTwelve) > 0U);
}

BOOST_FIXTURE_TEST_CASE(what_relaxing_gives_away_is_no_work_of_the_thread, Drained) {
  for (int round = 0; round < 20; ++round) {
    free_all(allocate_many(kTwelve, 30));
  }
  os::fake::advance_clock(1'000'000'000);
  engine.relax_caches();  // shrinks: it was not that much work for a second
  engine.relax_caches();
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
