// How the pace of a thread, and of others, decides what its cache may hold.
#include <array>
#include <boost/test/unit_test.hpp>

#include "alloc/core/thread_cache.h"
#include "test/core/thread_cache_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(thread_cache_pace)

// What a thread that is not hurried may hold of a class.
uint64_t at_leisure(const CacheFixture& fixture, ClassIndex index) {
  const ClassGeometry& geometry = fixture.engine.geometry().of(index);
  return uint64_t{geometry.first_capacity} * geometry.block_size;
}

// How far bins grow at a pace that is slow for one of many threads.
uint64_t claimed_at_medium_pace(CacheFixture& fixture, uint64_t nanoseconds = 150) {
  fixture.work(kTwelve, 600, nanoseconds);
  return fixture.claimed();
}

// Other threads with caches.
struct Others {
  Others(Engine& engine, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      BOOST_REQUIRE(engine.attach(anchors.at(i)));
    }
  }
  std::array<ThreadAnchor, 7> anchors = {new_anchor(), new_anchor(), new_anchor(), new_anchor(),
                                         new_anchor(), new_anchor(), new_anchor()};
};

BOOST_FIXTURE_TEST_CASE(a_thread_alone_is_hurried_sooner, CacheFixture) {
  BOOST_TEST(claimed_at_medium_pace(*this) > 40 * 12 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(it_gives_back_what_it_took_for_itself_when_others_come, CacheFixture) {
  const uint64_t alone = claimed_at_medium_pace(*this);
  const Others others(engine, 7);
  work(kTwelve, 100, 150);
  BOOST_TEST(claimed() < alone / 4);
}

BOOST_FIXTURE_TEST_CASE(fewer_others_are_enough_for_a_slower_thread, CacheFixture) {
  const uint64_t alone = claimed_at_medium_pace(*this, 200);
  BOOST_TEST(alone > 40 * 12 * kKiB);
  const Others others(engine, 4);  // 160 ns now
  work(kTwelve, 100, 200);
  BOOST_TEST(claimed() < alone / 4);
}

BOOST_FIXTURE_TEST_CASE(one_of_many_threads_has_time_for_misses, CacheFixture) {
  const Others others(engine, 7);
  BOOST_TEST(claimed_at_medium_pace(*this) == at_leisure(*this, kTwelve));
}

BOOST_FIXTURE_TEST_CASE(in_a_large_pool_a_thread_alone_has_time_too, LongSpanCache) {
  ThreadAnchor other = new_anchor();
  while (engine.grown_bytes() < 128 * kMiB) {
    BOOST_REQUIRE(allocate(other, kColoured) != nullptr);
  }
  BOOST_TEST(claimed_at_medium_pace(*this) == at_leisure(*this, kTwelve));
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
  BOOST_TEST(claimed() == at_leisure(*this, kSmall));
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
