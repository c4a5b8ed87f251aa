// SPDX-License-Identifier: MIT
// Blocks that one thread gives and another takes, past the runs.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "alloc/core/page_heap.h"
#include "test/core/page_heap_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr uint32_t kGiver = 1;
constexpr uint32_t kTaker = 2;
constexpr uint32_t kBatch = 8;

// Spilled are the bytes that are neither in the program's hands nor free runs.
struct Passing : PageHeapFixture {
  // Live blocks, as many as there are up to `count`.
  std::vector<void*> take(size_t size, uint32_t count, uint32_t who) {
    std::vector<void*> blocks;
    while (blocks.size() < count) {
      void* batch[kMaxBatch];
      const auto wanted = std::min(kBatch, count - static_cast<uint32_t>(blocks.size()));
      const uint32_t got = heap.take(heap_class(size), who, batch, wanted);
      if (got == 0) {
        break;
      }
      for (uint32_t i = 0; i < got; ++i) {
        mark_live(batch[i]);
        blocks.push_back(batch[i]);
      }
    }
    live_bytes += blocks.size() * run_bytes(size);
    return blocks;
  }
  void put(size_t size, const std::vector<void*>& blocks, uint32_t who) {
    for (size_t first = 0; first < blocks.size(); first += kBatch) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(kBatch, blocks.size() - first));
      for (uint32_t i = 0; i < count; ++i) {
        state(blocks[first + i]).store(SlotState::kFree);
      }
      BOOST_REQUIRE(heap.put(heap_class(size), who, blocks.data() + first, count) == nullptr);
    }
    live_bytes -= blocks.size() * run_bytes(size);
  }
  // The taker's blocks are given back by the other thread, over and over.
  void pass(size_t size, uint32_t count, uint32_t rounds = 50) {
    for (uint32_t round = 0; round < rounds; ++round) {
      put(size, take(size, count, kTaker), kGiver);
    }
  }
  static size_t run_bytes(size_t size) {
    return size + (size >= kHeapColouredFrom ? kGrainSize : 0);
  }
  uint64_t spilled_bytes() const { return heap.size_bytes() - free_bytes() - live_bytes; }
  // What all lists together may have room for: PageHeap::kMinSpillRoom and kSpillShare.
  uint64_t max_spilled() const { return 256 * kKiB + heap.size_bytes() / 8; }

  uint64_t live_bytes = 0;
};

BOOST_FIXTURE_TEST_SUITE(page_heap_spill, Passing)

BOOST_AUTO_TEST_CASE(what_one_thread_takes_and_gives_is_runs) {
  for (int round = 0; round < 20; ++round) {
    put(4 * kKiB, take(4 * kKiB, 40, kTaker), kTaker);
    BOOST_REQUIRE(spilled_bytes() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(threads_that_are_not_told_apart_spill_nothing) {
  for (int round = 0; round < 20; ++round) {
    put(4 * kKiB, take(4 * kKiB, 40, 0), 0);
    put(4 * kKiB, take(4 * kKiB, 40, 0), kGiver);
    put(4 * kKiB, take(4 * kKiB, 40, kGiver), 0);
    BOOST_REQUIRE(spilled_bytes() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(blocks_that_pass_between_threads_are_spilled) {
  pass(4 * kKiB, 16);
  BOOST_TEST(spilled_bytes() == 16 * 4 * kKiB);
  const std::vector<void*> blocks = take(4 * kKiB, 16, kTaker);
  BOOST_TEST(spilled_bytes() == 0U);
  for (void* block : blocks) {
    BOOST_TEST(!is_clean(block));
  }
}

BOOST_AUTO_TEST_CASE(all_lists_together_have_a_bound) {
  for (const size_t size : {4 * kKiB, 12 * kKiB, 28 * kKiB, 64 * kKiB}) {
    pass(size, 20);
    BOOST_TEST(spilled_bytes() >= 20 * 4 * kKiB);
    BOOST_TEST(spilled_bytes() <= max_spilled());
  }
  BOOST_TEST(spilled_bytes() > max_spilled() / 2);
}

BOOST_AUTO_TEST_CASE(blocks_never_handed_out_are_no_spilled_ones) {
  pass(4 * kKiB, 16);
  heap.empty_spill_freelists();
  void* clean[kBatch];
  BOOST_REQUIRE(heap.take(heap_class(20 * kKiB), kTaker, clean, 1) == 1U);
  BOOST_REQUIRE(heap.put(heap_class(20 * kKiB), kGiver, clean, 1) == nullptr);
  BOOST_TEST(spilled_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_spilled_block_put_twice_is_named) {
  pass(12 * kKiB, 4);
  std::vector<void*> blocks = take(12 * kKiB, 4, kTaker);
  put(12 * kKiB, blocks, kGiver);
  BOOST_REQUIRE(spilled_bytes() == 4 * 12 * kKiB);
  for (const uint32_t who : {kGiver, kTaker}) {
    BOOST_TEST(heap.put(heap_class(12 * kKiB), who, &blocks[2], 1) == blocks[2]);
  }
  BOOST_TEST(spilled_bytes() == 4 * 12 * kKiB);
  Extents extents(*this);
  for (const void* block : take(12 * kKiB, 8, kTaker)) {
    BOOST_TEST(extents.add(block));
  }
}

BOOST_AUTO_TEST_CASE(emptied_lists_are_runs_and_room_for_others) {
  pass(4 * kKiB, 16);
  BOOST_TEST(heap.empty_spill_freelists() == 16 * 4 * kKiB);
  BOOST_TEST(spilled_bytes() == 0U);
  BOOST_TEST(heap.empty_spill_freelists() == 0U);
  BOOST_TEST(everything_is_free());
  pass(64 * kKiB, 4);
  BOOST_TEST(spilled_bytes() > 0U);
}

BOOST_AUTO_TEST_CASE(spilled_blocks_serve_others_before_new_chunks_do) {
  pass(4 * kKiB, 16);
  BOOST_REQUIRE(spilled_bytes() == 16 * 4 * kKiB);
  const uint64_t size = heap.size_bytes();
  const size_t all = size / run_bytes(12 * kKiB);
  BOOST_TEST(take(12 * kKiB, static_cast<uint32_t>(all), kTaker).size() == all);
  BOOST_TEST(heap.size_bytes() == size);
  BOOST_TEST(spilled_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(unwanted_blocks_are_given_back_as_time_passes) {
  pass(4 * kKiB, 16);
  heap.age_pages();
  put(4 * kKiB, take(4 * kKiB, 6, kTaker), kGiver);
  heap.age_pages();
  BOOST_TEST(spilled_bytes() == 6 * 4 * kKiB);
  heap.age_pages();
  heap.age_pages();
  BOOST_TEST(spilled_bytes() == 0U);
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(what_others_take_all_the_time_stays) {
  pass(4 * kKiB, 16);
  for (int round = 0; round < 10; ++round) {
    heap.age_pages();
    pass(4 * kKiB, 16, 2);
    BOOST_TEST(spilled_bytes() == 16 * 4 * kKiB);
  }
}

BOOST_AUTO_TEST_CASE(a_child_has_the_spilled_blocks) {
  pass(4 * kKiB, 16);
  heap.recover_after_fork(false);
  BOOST_TEST(spilled_bytes() == 16 * 4 * kKiB);
  pass(4 * kKiB, 16);
  BOOST_TEST(spilled_bytes() == 16 * 4 * kKiB);
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
