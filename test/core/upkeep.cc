#include "alloc/core/upkeep.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "test/core/upkeep_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(upkeep, UpkeepFixture)

BOOST_AUTO_TEST_CASE(free_memory_goes_at_the_second_run) {
  free_long_after(kMiB);
  const uint64_t free_bytes = dirty_bytes();
  BOOST_TEST(free_bytes >= 4 * kMiB);
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(dirty_bytes() == free_bytes);
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(dirty_bytes() == 0U);
  BOOST_TEST(upkeep.purged_pool_bytes() == free_bytes);
  BOOST_TEST(everything_is_free());
  BOOST_TEST(run() == Upkeep::kNothingLeft);
}

BOOST_AUTO_TEST_CASE(neighbours_go_in_as_many_steps_as_it_takes) {
  const std::vector<void*> blocks = allocate_bytes(kLarge, 64 * kMiB);
  forget();
  free_all(blocks);
  run();
  run();
  BOOST_TEST(dirty_bytes() == 0U);
  free_all(allocate_bytes(kLarge, 64 * kMiB));
  BOOST_TEST(upkeep.purge_everything(engine) == 64 * kMiB);
}

BOOST_AUTO_TEST_CASE(purged_memory_reads_as_zero) {
  free_long_after(kMiB);
  run();
  run();
  void* block = take(anchor, kLarge);
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST((state_of(block).load() == SlotState::kClean));
  const auto* bytes = static_cast<const char*>(block);
  BOOST_TEST(std::all_of(bytes, bytes + kMiB, [](char byte) { return byte == 0; }));
}

BOOST_AUTO_TEST_CASE(what_is_taken_and_freed_between_runs_stays) {
  free_all(allocate_bytes(kColoured, 4 * kMiB));
  for (int i = 0; i < 20; ++i) {
    free_all(allocate_bytes(kColoured, 4 * kMiB));
    BOOST_TEST(run() == kDelayMs / 2);
  }
  BOOST_TEST(upkeep.purged_pool_bytes() == 0U);
  BOOST_TEST(dirty_bytes() == 4 * kMiB);
}

BOOST_AUTO_TEST_CASE(blocks_in_use_are_left_alone) {
  const std::vector<void*> kept = allocate_bytes(kColoured, 4 * kMiB);
  free_long_after(kMiB);
  run();
  run();
  BOOST_TEST(upkeep.purged_pool_bytes() > 0U);
  for (const void* block : kept) {
    const auto* bytes = static_cast<const char*>(block);
    BOOST_REQUIRE(std::all_of(bytes, bytes + 64 * kKiB, [](char byte) { return byte == 0x5a; }));
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
  for (int runs = 0; next != Upkeep::kNothingLeft; ++runs) {
    BOOST_REQUIRE(runs < kMostRuns);
    next = run();
    BOOST_TEST(dirty_bytes() <= before);
    before = dirty_bytes();
  }
  BOOST_TEST(before == 0U);
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(caches_of_idle_threads_go_too) {
  ThreadAnchor cached = new_anchor();
  BOOST_REQUIRE(engine.attach(cached));
  engine.allow_borrowing(cached);
  cache_some(cached);
  BOOST_TEST(snapshot().pool_cached_bytes > 256 * kKiB);
  BOOST_TEST(runs_until_nothing_is_left() < kMostRuns);
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(dirty_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(there_is_more_to_do_while_a_cache_that_may_be_borrowed_holds_much) {
  ThreadAnchor cached = new_anchor();
  BOOST_REQUIRE(engine.attach(cached));
  engine.allow_borrowing(cached);
  for (int i = 0; i < kMostRuns; ++i) {
    cache_some(cached);  // its bins serve it: nothing is taken or put
    BOOST_REQUIRE(run() == kDelayMs / 2);
    BOOST_REQUIRE(snapshot().pool_cached_bytes > 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_little_in_the_cache_of_a_thread_at_work_is_nothing_to_come_back_for) {
  ThreadAnchor cached = new_anchor();
  BOOST_REQUIRE(engine.attach(cached));
  engine.allow_borrowing(cached);
  const auto work = [&] { free(cached, allocate(cached, kTwelve)); };
  work();
  runs_until_nothing_is_left();
  for (int i = 0; i < 10; ++i) {
    work();
    BOOST_TEST(run() == Upkeep::kNothingLeft);
  }
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
}

BOOST_AUTO_TEST_CASE(large_blocks_go_at_the_second_run) {
  void* block = engine.large().take(3 * kMiB, LargeBlocks::Use::kAny, false);
  BOOST_REQUIRE(block != nullptr);
  std::memset(block, 0x5a, 3 * kMiB);
  engine.large().give(block);
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(snapshot().large_free_bytes >= 3 * kMiB);
  run();
  BOOST_TEST(snapshot().large_free_bytes == 0U);
  BOOST_TEST(purges().purged_bytes_total >= 3 * kMiB);
  BOOST_TEST(run() == Upkeep::kNothingLeft);
}

BOOST_AUTO_TEST_CASE(what_shall_be_ready_is_kept) {
  upkeep.keep_at_least(3 * kMiB);
  free_long_after(4 * kMiB);
  BOOST_TEST(runs_until_nothing_is_left() < kMostRuns);
  BOOST_TEST(dirty_bytes() <= 3 * kMiB);
  BOOST_TEST(dirty_bytes() >= 2 * kMiB);  // a block more or less in each class
  const uint64_t kept = dirty_bytes();
  run();
  BOOST_TEST(dirty_bytes() == kept);
}

BOOST_AUTO_TEST_CASE(everything_goes_when_it_is_asked_for) {
  upkeep.keep_at_least(kMiB);
  ThreadAnchor cached = new_anchor();
  BOOST_REQUIRE(engine.attach(cached));
  engine.allow_borrowing(cached);
  free(cached, allocate(cached, kTwelve));
  void* block = engine.large().take(3 * kMiB, LargeBlocks::Use::kAny, false);
  BOOST_REQUIRE(block != nullptr);
  engine.large().give(block);
  free_all(allocate_bytes(kLarge, 8 * kMiB));
  free_all(allocate_bytes(kSmall, 8 * kMiB));
  BOOST_TEST(upkeep.purge_everything(engine) >= 8 * kMiB + 8 * kMiB + 3 * kMiB);
  BOOST_TEST(dirty_bytes() == 0U);
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(snapshot().large_free_bytes == 0U);
  BOOST_TEST(everything_is_free());
  BOOST_TEST(upkeep.purge_everything(engine) == 0U);
}

BOOST_AUTO_TEST_CASE(a_pool_that_grows_gives_back_what_is_free_beyond_a_bound) {
  free_all(allocate_bytes(kColoured, 96 * kMiB));
  BOOST_TEST(dirty_bytes() == 96 * kMiB);
  upkeep.balance(engine);
  BOOST_TEST(dirty_bytes() <= 32 * kMiB);
  const uint64_t left = dirty_bytes();
  BOOST_TEST(left >= 31 * kMiB);
  const std::vector<void*> kept = allocate_bytes(kSmall, 3 * kMiB);
  const uint64_t purged = upkeep.purged_pool_bytes();
  upkeep.balance(engine);  // not grown by much since
  BOOST_TEST(upkeep.purged_pool_bytes() == purged);
  BOOST_TEST(dirty_bytes() == left);
}

BOOST_AUTO_TEST_CASE(a_balanced_pool_stays_under_its_bound_however_sizes_change) {
  constexpr uint64_t kBetweenLooks = 4 * kMiB;
  uint64_t most_in_use = 0;
  for (const ClassIndex index : {kSmall, kTwelve, kColoured, kLarge, kSmall, kTwelve}) {
    std::vector<void*> blocks;
    uint64_t in_use = 0;
    while (in_use < 32 * kMiB) {
      const std::vector<void*> more = allocate_bytes(index, 4 * kMiB);
      blocks.insert(blocks.end(), more.begin(), more.end());
      in_use = blocks.size() * engine.geometry().of(index).block_size;
      most_in_use = std::max(most_in_use, in_use);
      upkeep.balance(engine);
      BOOST_TEST(in_use + dirty_bytes() <= most_in_use + 32 * kMiB + kBetweenLooks);
    }
    BOOST_TEST(in_use + dirty_bytes() <= most_in_use + 32 * kMiB);
    free_all(blocks);
  }
}

BOOST_AUTO_TEST_CASE(a_pool_that_grows_again_keeps_what_it_had) {
  std::vector<void*> blocks = allocate_bytes(kColoured, 96 * kMiB);
  upkeep.balance(engine);
  free_all(blocks);
  static_cast<void>(allocate_bytes(kSmall, 16 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(dirty_bytes() == 96 * kMiB);
  static_cast<void>(allocate_bytes(kSmall, 32 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(dirty_bytes() <= 80 * kMiB);
  BOOST_TEST(dirty_bytes() >= 79 * kMiB);
}

BOOST_AUTO_TEST_CASE(of_much_that_was_in_use_half_the_slack_is_left) {
  const std::vector<void*> blocks = allocate_bytes(kColoured, 200 * kMiB);
  static_cast<void>(allocate_bytes(kSmall, 60 * kMiB));
  upkeep.balance(engine);
  free_all(blocks);
  static_cast<void>(allocate_bytes(kSmall, 12 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(dirty_bytes() == 200 * kMiB);  // with 72 MiB in use less than 260 + 16
  static_cast<void>(allocate_bytes(kSmall, 8 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(dirty_bytes() <= 196 * kMiB);
  BOOST_TEST(dirty_bytes() >= 195 * kMiB);
}

BOOST_AUTO_TEST_CASE(a_look_purges_so_much_at_most) {
  free_all(allocate_bytes(kColoured, 192 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(dirty_bytes() == 128 * kMiB);
  static_cast<void>(allocate_bytes(kSmall, 4 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(dirty_bytes() == 64 * kMiB);
}

BOOST_AUTO_TEST_CASE(new_memory_is_unwanted_when_much_is_free) {
  std::vector<void*> blocks = allocate_bytes(kColoured, 32 * kMiB);
  const std::vector<void*> last = allocate_bytes(kColoured, 2 * kMiB);
  upkeep.balance(engine);
  free_all(last);
  static_cast<void>(allocate_bytes(kSmall, 6 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(!engine.fresh_bytes().are_unwanted());
  free_all(blocks);  // 34 MiB of the 60 that may be free beside these
  static_cast<void>(allocate_bytes(kSmall, 4 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(!engine.fresh_bytes().are_unwanted());
  free_all(allocate_bytes(kTwelve, 20 * kMiB));
  static_cast<void>(allocate_bytes(kSmall, 4 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(engine.fresh_bytes().are_unwanted());
  run();
  BOOST_TEST(!engine.fresh_bytes().are_unwanted());
}

BOOST_AUTO_TEST_CASE(what_was_in_use_long_ago_does_not_count) {
  free_all(allocate_bytes(kColoured, 96 * kMiB));
  for (int i = 0; i < 20; ++i) {
    run();
  }
  free_all(allocate_bytes(kColoured, 48 * kMiB));
  static_cast<void>(allocate_bytes(kSmall, 16 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(dirty_bytes() <= 32 * kMiB);
}

BOOST_AUTO_TEST_CASE(little_that_is_free_is_no_matter_of_balance) {
  free_all(allocate_bytes(kColoured, 24 * kMiB));
  upkeep.balance(engine);
  BOOST_TEST(dirty_bytes() == 24 * kMiB);
}

BOOST_AUTO_TEST_CASE(one_refused_purge_costs_an_interval) {
  free_long_after(2 * kMiB);
  run();
  const uint64_t free_bytes = dirty_bytes();
  faulty::fail(faulty::Call::kPurge, 0, 1);
  run();
  BOOST_TEST(purges().purges_refused_total == 1U);
  BOOST_TEST(dirty_bytes() > 0U);
  BOOST_TEST(dirty_bytes() < free_bytes);  // other classes' went
  BOOST_TEST(everything_is_free());
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(dirty_bytes() == 0U);
  BOOST_TEST(purges().purges_refused_total == 1U);
  BOOST_TEST(purges().purged_bytes_total == free_bytes);
  BOOST_TEST(run() == Upkeep::kNothingLeft);
}

BOOST_AUTO_TEST_CASE(purges_refused_for_long_lose_nothing) {
  free_long_after(2 * kMiB);
  const uint64_t free_bytes = dirty_bytes();
  faulty::fail(faulty::Call::kPurge, 0, UINT64_MAX);
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(run() == kDelayMs / 2);
  }
  BOOST_TEST(purges().purges_refused_total == 4 * kBlockSizes.size());
  BOOST_TEST(purges().purged_bytes_total == 0U);
  BOOST_TEST(upkeep.purge_everything(engine) == 0U);
  BOOST_TEST(dirty_bytes() == free_bytes);
  BOOST_TEST(everything_is_free());
  for (const ClassIndex index : {kSmall, kTwelve, kColoured, kLarge}) {
    free_all(allocate_bytes(index, 2 * kMiB));
  }
  BOOST_TEST(dirty_bytes() == free_bytes);
  faulty::reset();
  const uint64_t refused = purges().purges_refused_total;
  BOOST_TEST(runs_until_nothing_is_left() < kMostRuns);
  BOOST_TEST(dirty_bytes() == 0U);
  BOOST_TEST(purges().purges_refused_total == refused);
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(a_refused_purge_of_a_large_block_is_counted) {
  void* block = engine.large().take(3 * kMiB, LargeBlocks::Use::kAny, false);
  BOOST_REQUIRE(block != nullptr);
  engine.large().give(block);
  run();
  faulty::fail(faulty::Call::kPurge, 0, 1);
  BOOST_TEST(run() == kDelayMs / 2);
  BOOST_TEST(purges().purges_refused_total == 1U);
  BOOST_TEST(snapshot().large_free_bytes >= 3 * kMiB);
  BOOST_TEST(runs_until_nothing_is_left() < kMostRuns);
  BOOST_TEST(snapshot().large_free_bytes == 0U);
}

BOOST_FIXTURE_TEST_CASE(never_means_never, Never) {
  BOOST_TEST(!upkeep.purges());
  free_all(allocate_bytes(kColoured, 64 * kMiB));
  for (int i = 0; i < 4; ++i) {
    run();
    upkeep.balance(engine);
  }
  BOOST_TEST(dirty_bytes() == 64 * kMiB);
  BOOST_TEST(engine.class_at(kColoured).count_cool() == 0U);
  BOOST_TEST(upkeep.purge_everything(engine) == 64 * kMiB);  // asked for expressly
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
