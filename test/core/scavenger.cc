// SPDX-License-Identifier: MIT
#include "alloc/core/scavenger.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "test/bytes.h"
#include "test/core/scavenger_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(scavenger, ScavengerFixture)

BOOST_AUTO_TEST_CASE(free_memory_goes_at_the_second_run) {
  free_long_after(kMiB);
  const uint64_t free_bytes = dirty_bytes();
  BOOST_TEST(free_bytes >= 4 * kMiB);
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(dirty_bytes() == free_bytes);
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(dirty_bytes() == 0U);
  BOOST_TEST(scavenger.purged_bytes() == free_bytes);
  BOOST_TEST(everything_is_free());
  BOOST_TEST(run() == Scavenger::kNothingLeft);
}

BOOST_AUTO_TEST_CASE(purged_memory_reads_as_zero) {
  const std::vector<void*> kept = allocate_bytes(kSmall, kMiB);
  free_long_after(kMiB);
  run();
  run();
  for (int i = 0; i < 4; ++i) {
    void* block = take(thread_state, kLarge);
    BOOST_REQUIRE(block != nullptr);
    BOOST_TEST((state_of(block).load() == SlotState::kClean));
    BOOST_TEST(spillway::testing::holds(block, 0, kMiB, 0));
  }
  for (const void* block : kept) {
    BOOST_REQUIRE(static_cast<const char*>(block)[4 * kKiB - 1] == 0x5a);
  }
}

BOOST_AUTO_TEST_CASE(what_waits_for_its_time_is_told) {
  BOOST_TEST(scavenger.waiting_bytes() == 0U);
  free_long_after(kMiB);
  leave_wide(2 * kMiB);
  run();
  BOOST_TEST(scavenger.waiting_bytes() >= dirty_bytes() + 2 * kMiB);
  BOOST_TEST(runs_until_nothing_is_left() < kMaxRuns);
  BOOST_TEST(scavenger.waiting_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_taken_and_freed_between_runs_stays) {
  for (int i = 0; i < 20; ++i) {
    free_all(allocate_bytes(kTwelve, kMiB));
    BOOST_TEST(run() == kDelayMs / 2);
  }
  BOOST_TEST(scavenger.purged_bytes() == 0U);
  BOOST_TEST(dirty_bytes() >= kMiB);
}

BOOST_AUTO_TEST_CASE(blocks_in_use_are_left_alone) {
  const std::vector<void*> kept = allocate_bytes(kColoured, 4 * kMiB);
  free_long_after(kMiB);
  run();
  run();
  BOOST_TEST(scavenger.purged_bytes() > 0U);
  for (const void* block : kept) {
    BOOST_REQUIRE(spillway::testing::holds(block, 0, 64 * kKiB, 0x5a));
  }
}

BOOST_AUTO_TEST_CASE(no_more_is_kept_than_was_taken_lately) {
  free_long_after(16 * kMiB);
  // The only demand of the interval, which any free block satisfies.
  free_all(allocate_bytes(kLarge, 2 * kMiB));
  run();
  run();
  BOOST_TEST(dirty_bytes() <= 2 * kMiB);
  BOOST_TEST(dirty_bytes() >= kMiB);
}

BOOST_AUTO_TEST_CASE(no_more_is_kept_than_some_megabytes_and_a_share_of_the_peak) {
  free_all(allocate_bytes(kTwelve, 64 * kMiB));
  const std::vector<void*> kept = allocate_bytes(kSmall, 32 * kMiB);
  run();
  run();
  BOOST_TEST(dirty_bytes() > 0U);
  BOOST_TEST(dirty_bytes() <= 4 * kMiB + 32 * kMiB / 32);
}

BOOST_AUTO_TEST_CASE(what_is_kept_fades_to_nothing) {
  free_all(allocate_bytes(kTwelve, 64 * kMiB));
  run();
  run();
  uint64_t before = dirty_bytes();
  BOOST_TEST(before > 0U);
  uint32_t next = kDelayMs / 2;
  for (int runs = 0; next != Scavenger::kNothingLeft; ++runs) {
    BOOST_REQUIRE(runs < kMaxRuns);
    next = run();
    BOOST_TEST(dirty_bytes() <= before);
    before = dirty_bytes();
  }
  BOOST_TEST(before == 0U);
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(a_busy_load_is_not_remembered_longer_than_one_that_took_what_is_kept) {
  std::vector<int> runs;
  for (const int rounds : {5, 500}) {
    forget();
    for (int round = 0; round < rounds; ++round) {
      free_all(allocate_bytes(kTwelve, kMiB));
    }
    runs.push_back(runs_until_nothing_is_left());
  }
  BOOST_TEST(runs[1] == runs[0]);
}

BOOST_AUTO_TEST_CASE(caches_of_idle_threads_go_too) {
  ThreadState cached = new_state();
  BOOST_REQUIRE(engine.attach(cached));
  engine.allow_draining(cached);
  cache_some(cached);
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
  BOOST_TEST(runs_until_nothing_is_left() < kMaxRuns);
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(dirty_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(there_is_more_to_do_while_a_cache_that_may_be_drained_holds_much) {
  ThreadState cached = new_state();
  BOOST_REQUIRE(engine.attach(cached));
  engine.allow_draining(cached);
  for (int i = 0; i < kMaxRuns; ++i) {
    cache_some(cached);  // its bins serve it: nothing is taken or put
    BOOST_REQUIRE(run() == kDelayMs / 2);
    BOOST_REQUIRE(snapshot().pool_cached_bytes > 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_little_in_the_cache_of_a_thread_at_work_is_nothing_to_come_back_for) {
  ThreadState cached = new_state();
  BOOST_REQUIRE(engine.attach(cached));
  engine.allow_draining(cached);
  const auto work = [&] { free(cached, allocate(cached, kTwelve)); };
  work();
  runs_until_nothing_is_left();
  for (int i = 0; i < 10; ++i) {
    work();
    BOOST_TEST(run() == Scavenger::kNothingLeft);
  }
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
}

BOOST_AUTO_TEST_CASE(wide_slots_memory_goes_at_the_second_run) {
  leave_wide(3 * kMiB);
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(wide_bytes() >= 3 * kMiB);
  run();
  BOOST_TEST(wide_bytes() == 0U);
  BOOST_TEST(purges().purged_bytes_total >= 3 * kMiB);
  BOOST_TEST(run() == Scavenger::kNothingLeft);
}

BOOST_AUTO_TEST_CASE(a_heap_that_grows_gives_back_what_freed_wide_slots_hold) {
  leave_wide(3 * kMiB);
  const std::vector<void*> blocks = allocate_bytes(kColoured, 8 * kMiB);
  BOOST_TEST(scavenger.balance(engine));
  BOOST_TEST(wide_bytes() == 0U);
  BOOST_TEST(!scavenger.balance(engine));  // not grown since
  free_all(blocks);
  free_all(allocate_bytes(kTwelve, 4 * kMiB));
  BOOST_TEST(!scavenger.balance(engine));
  static_cast<void>(allocate_bytes(kColoured, 16 * kMiB));
  BOOST_TEST(scavenger.balance(engine));
}

BOOST_AUTO_TEST_CASE(a_heap_is_not_balanced_during_a_pause) {
  leave_wide(3 * kMiB);
  scavenger.turns().pause(this);
  BOOST_TEST(!scavenger.balance(engine));
  BOOST_TEST(wide_bytes() >= 3 * kMiB);
  scavenger.turns().resume(this);
  BOOST_TEST(scavenger.balance(engine));
}

BOOST_AUTO_TEST_CASE(a_little_that_is_used_all_the_time_is_nothing_to_come_back_for) {
  int runs = 0;
  do {
    free_all(allocate_bytes(kColoured, 64 * kKiB));
  } while (run() != Scavenger::kNothingLeft && ++runs < kMaxRuns);
  BOOST_TEST(runs < kMaxRuns);
  BOOST_TEST(engine.store().free_bytes().dirty() > 0U);
}

BOOST_AUTO_TEST_CASE(what_shall_be_ready_is_kept) {
  scavenger.keep_at_least(3 * kMiB);
  free_long_after(4 * kMiB);
  BOOST_TEST(runs_until_nothing_is_left() < kMaxRuns);
  BOOST_TEST(dirty_bytes() <= 3 * kMiB);
  BOOST_TEST(dirty_bytes() >= 3 * kMiB - kGranuleSize);
  const uint64_t kept = dirty_bytes();
  run();
  BOOST_TEST(dirty_bytes() == kept);
}

BOOST_AUTO_TEST_CASE(everything_goes_when_it_is_asked_for) {
  scavenger.keep_at_least(kMiB);
  ThreadState cached = new_state();
  BOOST_REQUIRE(engine.attach(cached));
  engine.allow_draining(cached);
  free(cached, allocate(cached, kTwelve));
  leave_wide(3 * kMiB);
  const std::vector<void*> large = allocate_bytes(kLarge, 40 * kMiB);
  free_all(allocate_bytes(kSmall, 8 * kMiB));
  free_all(large);
  BOOST_TEST(scavenger.purge_everything(engine) >= 40 * kMiB + 8 * kMiB + 3 * kMiB);
  BOOST_TEST(dirty_bytes() == 0U);
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(wide_bytes() == 0U);
  BOOST_TEST(everything_is_free());
  BOOST_TEST(scavenger.purge_everything(engine) == 0U);
  BOOST_TEST(purges().purges_total >= 24U);  // a chunk at a time
}

BOOST_AUTO_TEST_CASE(one_refused_purge_costs_an_interval) {
  free_long_after(2 * kMiB);
  run();
  const uint64_t free_bytes = dirty_bytes();
  faulty::fail(faulty::Call::kPurge, 0, 1);
  run();
  BOOST_TEST(purges().purges_refused_total == 1U);
  BOOST_TEST(dirty_bytes() > 0U);
  BOOST_TEST(everything_is_free());
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(dirty_bytes() == 0U);
  BOOST_TEST(purges().purges_refused_total == 1U);
  BOOST_TEST(purges().purged_bytes_total == free_bytes);
  BOOST_TEST(run() == Scavenger::kNothingLeft);
}

BOOST_AUTO_TEST_CASE(purges_refused_for_long_lose_nothing) {
  free_long_after(2 * kMiB);
  const uint64_t free_bytes = dirty_bytes();
  faulty::fail(faulty::Call::kPurge, 0, UINT64_MAX);
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(run() == kDelayMs / 2);
  }
  BOOST_TEST(purges().purges_refused_total == 4U);  // once a run, but for the first
  BOOST_TEST(purges().purged_bytes_total == 0U);
  BOOST_TEST(scavenger.purge_everything(engine) == 0U);
  BOOST_TEST(dirty_bytes() == free_bytes);
  for (const ClassIndex index : {kSmall, kTwelve, kColoured, kLarge}) {
    free_all(allocate_bytes(index, 2 * kMiB));
  }
  BOOST_TEST(everything_is_free());
  faulty::reset();
  const uint64_t refused = purges().purges_refused_total;
  BOOST_TEST(runs_until_nothing_is_left() < kMaxRuns);
  BOOST_TEST(dirty_bytes() == 0U);
  BOOST_TEST(purges().purges_refused_total == refused);
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(a_refused_purge_of_a_wide_slot_is_counted) {
  leave_wide(3 * kMiB);
  run();
  faulty::fail(faulty::Call::kPurge, 0, 1);
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(purges().purges_refused_total == 1U);
  BOOST_TEST(wide_bytes() >= 3 * kMiB);
  BOOST_TEST(runs_until_nothing_is_left() < kMaxRuns);
  BOOST_TEST(wide_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(never_means_never, Never) {
  BOOST_TEST(!scavenger.purges());
  free_all(allocate_bytes(kColoured, 64 * kMiB));
  const uint64_t free_bytes = dirty_bytes();
  BOOST_TEST(free_bytes >= 64 * kMiB);
  for (int i = 0; i < 4; ++i) {
    BOOST_TEST(run() == Scavenger::kNothingLeft);
    BOOST_TEST(!scavenger.balance(engine));
  }
  BOOST_TEST(dirty_bytes() == free_bytes);
  BOOST_TEST(engine.store().free_bytes().aged == 0U);
  BOOST_TEST(scavenger.purge_everything(engine) == free_bytes);  // asked for expressly
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
