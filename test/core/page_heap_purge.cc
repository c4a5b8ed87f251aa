// SPDX-License-Identifier: MIT
// What the scavenger and a forked child do with the page heap's free memory.

#include <boost/test/unit_test.hpp>
#include <vector>

#include "test/core/page_heap_fixture.h"
#include "test/forked_child.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

struct Purger : PageHeapFixture {
  // Free blocks that were written to, and were freed before the last look.
  void leave_aged(size_t size, uint32_t count) {
    std::vector<void*> blocks = get_many(size, count);
    for (void* block : blocks) {
      fill(block);
    }
    give_all(blocks);
    heap.age_pages();
  }
};

BOOST_FIXTURE_TEST_SUITE(page_heap_purge, Purger)

BOOST_AUTO_TEST_CASE(free_bytes_are_recent_then_aged_then_clean) {
  give_all(get_many(16 * kKiB, 100));
  PageHeap::FreeBytes free = heap.free_bytes();
  BOOST_TEST(free.recent >= 1600 * kKiB);
  BOOST_TEST(free.aged == 0U);
  BOOST_TEST(free.recent + free.clean == heap.size_bytes());
  const uint64_t dirty = free.recent;
  heap.age_pages();
  free = heap.free_bytes();
  BOOST_TEST(free.recent == 0U);
  BOOST_TEST(free.aged == dirty);
  BOOST_TEST(purge_all() == dirty);
  free = heap.free_bytes();
  BOOST_TEST(free.dirty() == 0U);
  BOOST_TEST(free.clean == heap.size_bytes());
  BOOST_TEST(!refused);
  BOOST_TEST(snapshot().pool_clean_bytes == heap.size_bytes());
}

BOOST_AUTO_TEST_CASE(free_bytes_are_counted_up_to_a_bound) {
  BOOST_TEST(heap.free_bytes_up_to(UINT64_MAX) == 0U);
  give_all(get_many(kMiB / 2, 60));
  const uint64_t dirty = heap.free_bytes().dirty();
  BOOST_TEST(heap.free_bytes_up_to(UINT64_MAX) == dirty);
  BOOST_TEST(heap.free_bytes_up_to(4 * kMiB) >= 4 * kMiB);
  BOOST_TEST(heap.free_bytes_up_to(4 * kMiB) <= 4 * kMiB + kChunkSize);
}

BOOST_AUTO_TEST_CASE(recent_memory_goes_only_when_asked_for) {
  give_all(get_many(16 * kKiB, 100));
  const uint64_t dirty = heap.free_bytes().dirty();
  BOOST_TEST(purge_all() == 0U);
  BOOST_TEST(heap.free_bytes().dirty() == dirty);
  BOOST_TEST(purge_all(true) == dirty);
}

BOOST_AUTO_TEST_CASE(purged_memory_is_clean_and_zero_and_usable) {
  leave_aged(20 * kKiB, 200);
  const uint64_t size = heap.size_bytes();
  const uint64_t purged = purge_all();
  BOOST_TEST(purged >= 200 * 20 * kKiB);
  const uint64_t fresh = heap.fresh_bytes();
  for (uint32_t i = 0; i < 200; ++i) {
    void* block = nullptr;
    BOOST_REQUIRE(heap.take(heap_class(20 * kKiB), hint, &block, 1) == 1U);
    BOOST_REQUIRE(is_clean(block));
    BOOST_REQUIRE(is_filled_with(block, 0));
    mark_live(block);
    fill(block);
  }
  BOOST_TEST(heap.size_bytes() == size);
  BOOST_TEST(heap.fresh_bytes() - fresh == 200 * 20 * kKiB);
}

BOOST_AUTO_TEST_CASE(live_blocks_are_left_alone) {
  std::vector<void*> blocks = get_many(6 * kKiB, 300);  // pages with parts of two
  void* large = get_large(3 * kMiB);
  fill(large);
  std::vector<void*> live;
  for (size_t i = 0; i < blocks.size(); ++i) {
    fill(blocks[i]);
    if (i % 3 == 0) {
      live.push_back(blocks[i]);
    } else {
      BOOST_REQUIRE(give(blocks[i]));
    }
  }
  heap.age_pages();
  BOOST_TEST(purge_all() >= 100 * 8 * kKiB);
  for (const void* block : live) {
    BOOST_REQUIRE(is_filled_with(block, 0x5a));
  }
  BOOST_TEST(is_filled_with(large, 0x5a));
  give_all(live);
  BOOST_REQUIRE(give(large));
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(what_is_used_again_meanwhile_stays) {
  leave_aged(64 * kKiB, 10);
  const PageHeap::FreeBytes before = heap.free_bytes();
  BOOST_TEST(before.aged >= 10 * 64 * kKiB);
  give_all(get_many(64 * kKiB, 10));  // the same grains
  BOOST_TEST(heap.free_bytes().recent == before.aged);
  BOOST_TEST(purge_all() == 0U);
  BOOST_TEST(heap.free_bytes().recent == before.aged);
}

BOOST_AUTO_TEST_CASE(a_step_is_bounded_and_goes_on_where_it_ended) {
  leave_aged(kMiB / 2, 40);
  const uint64_t dirty = heap.free_bytes().dirty();
  constexpr uint64_t kStep = 192 * kKiB;
  uint64_t sum = 0;
  for (uint64_t bytes; (bytes = purge(kStep + 100)) != 0;) {
    BOOST_REQUIRE(bytes <= kStep);
    sum += bytes;
  }
  BOOST_TEST(cursor == 0U);
  BOOST_TEST(sum == dirty);
  BOOST_TEST(heap.free_bytes().dirty() == 0U);
}

BOOST_AUTO_TEST_CASE(a_step_is_of_one_chunk) {
  leave_aged(kMiB / 2, 40);
  uint64_t bytes = purge(UINT64_MAX);
  BOOST_TEST(bytes <= kChunkSize);
  BOOST_TEST(bytes > 0U);
}

BOOST_AUTO_TEST_CASE(a_step_is_at_least_a_page) {
  leave_aged(kMiB / 2, 1);
  BOOST_TEST(purge(0) == os::page_size());
  BOOST_TEST(purge(1) == os::page_size());
}

BOOST_AUTO_TEST_CASE(neighbours_go_in_few_calls) {
  leave_aged(kMiB / 2, 3);
  const uint64_t before = faulty::calls(faulty::Call::kPurge);
  BOOST_TEST(purge_all() >= 3 * kMiB / 2);
  // Runs of pages are told by words of 64.
  BOOST_TEST(faulty::calls(faulty::Call::kPurge) - before <= Chunk::kPages / 64 + 1);
}

BOOST_AUTO_TEST_CASE(a_refused_purge_leaves_pages_as_they_are) {
  leave_aged(kMiB / 2, 40);
  const PageHeap::FreeBytes before = heap.free_bytes();
  faulty::fail(faulty::Call::kPurge, 0, UINT64_MAX);
  uint32_t steps = 0;
  do {
    refused = false;
    BOOST_REQUIRE(purge(kGiB) == 0U);
    ++steps;
    BOOST_REQUIRE((refused || cursor == 0));
  } while ((refused || cursor != 0) && steps < 1000);
  BOOST_TEST(steps < 1000U);  // one that is refused is passed over
  const PageHeap::FreeBytes after = heap.free_bytes();
  BOOST_TEST(after.aged == before.aged);
  BOOST_TEST(after.clean == before.clean);
  faulty::reset();
  refused = false;
  BOOST_TEST(purge_all() == before.aged);
  BOOST_TEST(!refused);
}

BOOST_AUTO_TEST_CASE(a_step_that_is_refused_in_the_middle_says_so) {
  std::vector<void*> blocks = get_many(8 * kKiB, 100);
  for (void* block : blocks) {
    fill(block);
  }
  for (size_t i = 0; i < blocks.size(); i += 2) {
    BOOST_REQUIRE(give(blocks[i]));
  }
  heap.age_pages();
  const uint64_t dirty = heap.free_bytes().dirty();
  faulty::fail(faulty::Call::kPurge, 3, 1);
  BOOST_TEST(purge(kGiB) == 0U);
  BOOST_TEST(refused);
  BOOST_TEST(heap.free_bytes().dirty() == dirty);
  // Some pages are zero, and none of it is taken for clean.
  for (uint32_t i = 0; i < 50; ++i) {
    void* block = nullptr;
    BOOST_REQUIRE(heap.take(heap_class(8 * kKiB), hint, &block, 1) == 1U);
    BOOST_REQUIRE((!is_clean(block) || is_filled_with(block, 0)));
    mark_live(block);
    fill(block);
  }
  for (size_t i = 1; i < blocks.size(); i += 2) {
    BOOST_REQUIRE(is_filled_with(blocks[i], 0x5a));
  }
}

// A hole in full chunks, of which the middle third is purged; what is left of it serves others
// while the kernel is at work.
struct TakenInPurge : PageHeapFixture {
  static constexpr ptrdiff_t kThird = 10;
  void take_and_compare() {
    if (purges++ != 0) {
      return;
    }
    const uint64_t before = heap.size_bytes();
    for (ptrdiff_t i = 0; i < 2 * kThird; ++i) {
      taken += get(size) != nullptr ? 1 : 0;
    }
    grown += heap.size_bytes() - before;
  }
  // Blocks of so many bytes.
  void run(size_t bytes) {
    size = bytes;
    const std::vector<void*> blocks = get_many(size, static_cast<uint32_t>(kChunkSize / size));
    BOOST_REQUIRE(heap.size_bytes() == kChunkSize);
    const auto give_third = [&](ptrdiff_t number) {
      const auto first = blocks.begin() + 20 + number * kThird;
      give_all({first, first + kThird});
    };
    give_third(1);
    heap.age_pages();
    give_third(0);
    give_third(2);
    faulty::at_purge([](void* self) { static_cast<TakenInPurge*>(self)->take_and_compare(); },
                     this);
    BOOST_TEST(purge(kGiB) == kThird * size);
    faulty::reset();
    BOOST_TEST(purges >= 1);
    BOOST_TEST(taken == 2 * kThird);
    BOOST_TEST(grown == 0U);
    BOOST_TEST(get_many(size, kThird).size() == size_t{kThird});
    BOOST_TEST(heap.size_bytes() == kChunkSize);
  }
  size_t size = 0;
  int purges = 0;
  int taken = 0;
  uint64_t grown = 0;
};

BOOST_FIXTURE_TEST_CASE(what_a_purge_leaves_of_a_run_can_be_had_meanwhile, TakenInPurge) {
  run(4 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(what_a_purge_leaves_of_a_long_run_can_be_had_meanwhile, TakenInPurge) {
  run(16 * kKiB);
}

// --- in a forked child

struct ForkedInPurge : Purger {
  void run(bool purge_was_ours) {
    ours = purge_was_ours;
    leave_aged(kMiB / 2, 12);
    faulty::at_purge([](void* self) { static_cast<ForkedInPurge*>(self)->fork_once(); }, this);
    purge_all();
    BOOST_TEST(forks >= 3);
    BOOST_TEST(bad_children == 0);
    BOOST_TEST(everything_is_free());
  }
  void fork_once() {
    ++forks;
    const bool good = spillway::testing::holds_in_child([this] {
      heap.recover_after_fork(ours);
      // Our own purge goes on, and has the pages still.
      const bool recovered = everything_is_free() != ours;
      faulty::reset();
      while (get(28 * kKiB) != nullptr && !ours) {
      }
      return recovered;
    });
    bad_children += good ? 0 : 1;
  }
  bool ours = false;
  int forks = 0;
  int bad_children = 0;
};

BOOST_FIXTURE_TEST_CASE(a_child_gets_the_pages_that_a_lost_thread_was_purging, ForkedInPurge) {
  run(false);
}

BOOST_FIXTURE_TEST_CASE(a_purge_that_a_fork_interrupted_keeps_its_pages, ForkedInPurge) {
  run(true);
}

BOOST_AUTO_TEST_CASE(recovery_changes_nothing_of_a_heap_at_rest) {
  leave_aged(64 * kKiB, 100);
  const std::vector<void*> live = get_many(12 * kKiB, 50);
  purge(128 * kKiB);
  const PageHeap::FreeBytes before = heap.free_bytes();
  heap.recover_after_fork(false);
  BOOST_TEST(heap.free_bytes().aged == before.aged);
  BOOST_TEST(heap.free_bytes().clean == before.clean);
  const uint64_t size = heap.size_bytes();
  BOOST_TEST(get_many(64 * kKiB, 80).size() == 80U);
  BOOST_TEST(heap.size_bytes() == size);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
