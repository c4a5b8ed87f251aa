// SPDX-License-Identifier: MIT
// Freed large blocks: their memory goes at once, but for a share and what was taken again soon.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "alloc/core/scavenger.h"
#include "test/core/scavenger_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

struct LargeBlocks : ScavengerFixture {
  static constexpr size_t kBytes = 16 * kMiB;
  std::vector<void*> written_large_blocks() {
    std::vector<void*> blocks(8);
    for (void*& block : blocks) {
      block = heap.take_large(kBytes, 1);
      BOOST_REQUIRE(block != nullptr);
      std::memset(block, 1, kBytes);
    }
    return blocks;
  }
  PageHeap& heap = engine.store();
};

// Eight blocks are freed and taken again by turns: 128 MiB, of which 32 MiB stay at first.
struct Alternating : LargeBlocks {
  // Returns how much went to the kernel.
  uint64_t free_and_take() {
    const uint64_t purged = scavenger.purged_bytes();
    for (void* block : blocks) {
      BOOST_REQUIRE(heap.give_large(block));
      scavenger.note_large_free(engine, kBytes);
    }
    blocks = written_large_blocks();
    return scavenger.purged_bytes() - purged;
  }
  std::vector<void*> blocks = written_large_blocks();
};

// As much is in use meanwhile.
struct AlternatingBeside : Alternating {
  std::vector<void*> beside = written_large_blocks();
};

BOOST_FIXTURE_TEST_SUITE(scavenger_large, LargeBlocks)

BOOST_AUTO_TEST_CASE(large_blocks_leave_a_share_of_what_is_in_use_free) {
  std::vector<void*> blocks = written_large_blocks();
  for (void* block : blocks) {
    BOOST_REQUIRE(heap.give_large(block));
    scavenger.note_large_free(engine, kBytes);
    BOOST_TEST(heap.free_bytes().dirty() <= 64 * kMiB + kBytes);
  }
  BOOST_TEST(heap.free_bytes().dirty() <= 32 * kMiB + kBytes);
}

BOOST_AUTO_TEST_CASE(large_blocks_that_find_the_turn_taken_go_at_the_end_of_a_run) {
  std::vector<void*> blocks = written_large_blocks();
  scavenger.turns().pause(this);
  for (void* block : blocks) {
    BOOST_REQUIRE(heap.give_large(block));
    scavenger.note_large_free(engine, kBytes);
  }
  scavenger.turns().resume(this);
  BOOST_TEST(heap.free_bytes().dirty() >= 128 * kMiB);
  run();
  BOOST_TEST(heap.free_bytes().dirty() <= 32 * kMiB + kBytes);
}

BOOST_AUTO_TEST_CASE(large_blocks_that_are_replaced_keep_their_memory) {
  std::vector<void*> blocks = written_large_blocks();
  const uint64_t purged = scavenger.purged_bytes();
  for (int round = 0; round < 3; ++round) {
    for (void*& block : blocks) {
      BOOST_REQUIRE(heap.give_large(block));
      scavenger.note_large_free(engine, kBytes);
      block = heap.take_large(kBytes, 1);
      BOOST_REQUIRE(block != nullptr);
    }
  }
  BOOST_TEST(scavenger.purged_bytes() == purged);
  for (void* block : blocks) {
    BOOST_REQUIRE(heap.give_large(block));
  }
}

BOOST_FIXTURE_TEST_CASE(regret_keeps_no_more_than_is_in_use, Alternating) {
  for (int round = 0; round < 3; ++round) {
    BOOST_TEST(free_and_take() >= 64 * kMiB);
  }
}

BOOST_FIXTURE_TEST_CASE(memory_that_was_trimmed_and_is_taken_again_stays_the_next_time,
                        AlternatingBeside) {
  BOOST_TEST(free_and_take() >= 64 * kMiB);
  BOOST_TEST(free_and_take() <= kBytes);
  BOOST_TEST(free_and_take() == 0U);
}

BOOST_FIXTURE_TEST_CASE(regret_fades, AlternatingBeside) {
  free_and_take();
  free_and_take();
  BOOST_TEST(free_and_take() == 0U);
  // Time without a run counts, too.
  os::fake::advance_clock(uint64_t{200} * kDelayMs / 2 * 1'000'000);
  run();
  BOOST_TEST(free_and_take() >= 64 * kMiB);
}

BOOST_FIXTURE_TEST_CASE(growth_after_a_trim_is_no_more_regret_than_was_trimmed, Alternating) {
  const uint64_t trimmed = free_and_take();
  std::vector<void*> more = written_large_blocks();
  more.insert(more.end(), blocks.begin(), blocks.end());
  for (void* block : more) {
    BOOST_REQUIRE(heap.give_large(block));
    scavenger.note_large_free(engine, kBytes);
  }
  BOOST_TEST(heap.free_bytes().dirty() <= 32 * kMiB + trimmed + 2 * kBytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
