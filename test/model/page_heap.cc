// SPDX-License-Identifier: MIT
// Blocks between the page heap and threads: no two share a grain, none is lost, each free run has
// its entry in the index, and a large block is as long as it says.
#include <boost/test/unit_test.hpp>

#include "test/model/page_heap_case.h"

namespace spillway::core {
namespace {

using model::explore;
using model::require;
using testing::kOnePage;
using testing::kTwoPages;
using testing::PageHeapCase;

constexpr uint32_t kPageGrains = Chunk::kGrainsPerPage;

// Two threads out of one run, which has room for both or for one.
template <uint32_t kPages>
struct OneRun : PageHeapCase {
  OneRun() : PageHeapCase(kPages * kPageGrains) {}
  void thread(unsigned number) {
    Block block = take(number == 0 ? kOnePage : kTwoPages);
    give(block);
  }
  void finish() { finish_with(0); }
};

// Neighbours come back at once, and are one run afterwards.
struct Join : PageHeapCase {
  Join() : PageHeapCase(4 * kPageGrains) {
    for (Block& block : blocks) {
      block = take(kOnePage);
      first_of(block) = last_of(block) = static_cast<uint64_t>(&block - blocks) + 1;
    }
  }
  void thread(unsigned number) { give(blocks[number]); }
  void finish() { finish_with((4 - 3) * kGranuleSize); }
  Block blocks[4];
};
struct JoinTwo : Join {
  void finish() { finish_with((4 - 2) * kGranuleSize); }
};

// A block comes back beside a free run while another thread takes that.
struct GiveAndTake : PageHeapCase {
  GiveAndTake() : PageHeapCase(3 * kPageGrains) {
    mine = take(kOnePage);
    first_of(mine) = last_of(mine) = 1;
  }
  void thread(unsigned number) {
    if (number == 0) {
      give(mine);
    } else {
      taken = take(kTwoPages);
    }
  }
  void finish() { finish_with(taken.bytes); }
  Block mine;
  Block taken;
};

// Entries of runs that are gone: a thread that meets one removes it, while another makes a run that
// it is right for again.
struct Stale : PageHeapCase {
  Stale() : PageHeapCase(2 * kPageGrains) {
    for (Block& block : blocks) {
      block = take(kOnePage);
      first_of(block) = last_of(block) = 1;
    }
  }
  void thread(unsigned number) {
    if (number == 0) {
      give(blocks[0]);
      give(blocks[1]);
    } else {
      Block block = take(kOnePage);
      give(block);
    }
  }
  void finish() { finish_with(0); }
  Block blocks[2];
};

// A run of three pages across two words and a page by itself in the next: what is left of the run
// is found, though it was no run yet when its entry was made.
struct Left : PageHeapCase {
  static constexpr uint32_t kPages = 17;
  Left() : PageHeapCase(kPages * kPageGrains) {
    Block all[kPages];
    for (Block& block : all) {
      block = take(kOnePage);
    }
    require(take(kOnePage).start == nullptr, "no entry is left");
    for (const uint32_t page : {0U, 1U, 2U, 12U}) {
      give(all[page]);
    }
  }
  void thread(unsigned number) { taken[number] = take(number == 0 ? kTwoPages : kOnePage); }
  void finish() { finish_with(kPages * kGranuleSize - 4 * kGranuleSize + both()); }
  uint64_t both() const { return taken[0].bytes + taken[1].bytes; }
  Block taken[2];
};

// The place of a large block that is freed is taken at once.
struct Large : PageHeapCase {
  static constexpr size_t kBytes = 6 * kGranuleSize;
  Large() : PageHeapCase(8 * kPageGrains) {
    mine = take_large(kBytes);
    first_of(mine) = last_of(mine) = 1;
  }
  void thread(unsigned number) {
    if (number == 0) {
      give(mine);
    } else {
      Block block = take_large(kBytes);
      give(block);
    }
  }
  void finish() { finish_with(0); }
  Block mine;
};

// A growing block takes the start of a free run while another thread takes some of it, or a page
// apart from it. What is left of the run begins in the next word, and is found. Runs with room for
// a growing block are looked for from an eighth of a chunk on: so few are this heap's buckets.
template <bool kApart>
struct Growing : PageHeapCase {
  static constexpr uint32_t kPages = 67;
  Growing() : PageHeapCase(kPages * kPageGrains) {
    Block all = take_large(kPages * kGranuleSize);
    give(all);
    Block first[3];
    for (Block& block : first) {
      block = take(kOnePage);
    }
    give(first[0]);
    give(first[2]);
  }
  void thread(unsigned number) {
    taken[number] =
        number == 0 ? take_with_room(6 * kGranuleSize) : take(kApart ? kOnePage : kTwoPages);
  }
  void finish() {
    check_index();
    require(taken[0].start != nullptr || !kApart, "a block that grows finds room");
    for (Block& block : taken) {
      if (block.start != nullptr) {
        first_of(block) = last_of(block) = model::this_thread() + 1;
      }
      give(block);
    }
    finish_with(kGranuleSize);
  }
  Block taken[2];
};

// Of two threads that free one block at once one is told, and it is free once: in the page heap,
// with room in the spill freelist, and above the classes.
enum class Where : uint8_t { kRuns, kSpilled, kLarge };
template <Where kWhere>
struct FreedTwice : PageHeapCase {
  static constexpr bool kLargeBlock = kWhere == Where::kLarge;
  FreedTwice() : PageHeapCase(8 * kPageGrains) {
    if (kWhere == Where::kSpilled) {
      // One thread's block is refused, another's request shows that there should be room.
      Block first = take(kOnePage);
      give(first, 1);
      first = take(kOnePage, 2);
      give(first, 2);
    }
    block = kLargeBlock ? take_large(6 * kGranuleSize) : take(kOnePage);
    // Both threads saw it live, and have said that it is free.
    state(block).store(SlotState::kFree);
  }
  void thread(unsigned number) {
    if (kLargeBlock) {
      told[number] = !heap.give_large(block.start);
    } else {
      void* const start = block.start;
      const uint32_t who = 0;
      told[number] = heap.put(kOnePage, who, &start, 1) != nullptr;
    }
  }
  void finish() {
    require(told[0] != told[1], "one of two threads learns that a block was freed twice");
    finish_with(0);
  }
  Block block;
  bool told[2] = {};
};

// Pages go to the kernel while a block with a part of them comes back and others are taken.
struct Purge : PageHeapCase {
  Purge() : PageHeapCase(3 * kPageGrains) {
    Block block = take(kTwoPages);
    give(block);
    heap.age_pages();
    mine = take(kOnePage);
    first_of(mine) = last_of(mine) = 2;
  }
  void thread(unsigned number) {
    if (number == 0) {
      uint32_t cursor = 0;
      bool refused = false;
      heap.purge(cursor, SIZE_MAX, true, refused);
    } else {
      give(mine);
      Block block = take(kTwoPages);
      give(block);
    }
  }
  void finish() { finish_with(0); }
  Block mine;
};

// Two threads need a new chunk at once.
struct Grow : PageHeapCase {
  Grow() : PageHeapCase(kPageGrains, 3) {}
  void thread(unsigned number) { taken[number] = take(kTwoPages); }
  void finish() {
    require(taken[0].start != nullptr && taken[1].start != nullptr, "there is room for both");
    require(taken[0].start != taken[1].start, "a block was taken twice");
    check_index();
    require(free_bytes() == at_start + heap.size_bytes() - kChunkSize - 4 * kGranuleSize,
            "a grain is lost");
  }
  Block taken[2];
};

// A block grows where it is, into what another thread takes or gives.
struct Resize : PageHeapCase {
  Resize() : PageHeapCase(2 * kPageGrains) {
    mine = take(kOnePage);
    first_of(mine) = last_of(mine) = 1;
  }
  void thread(unsigned number) {
    if (number == 0) {
      if (heap.resize(mine.start, kTwoPages, 0)) {
        mine = {mine.start, 2 * kGranuleSize, kTwoPages};
        first_of(mine) = last_of(mine) = 1;
      }
      give(mine);
    } else {
      Block block = take(kOnePage);
      give(block);
    }
  }
  void finish() { finish_with(0); }
  Block mine;
};

BOOST_AUTO_TEST_SUITE(page_heap)

BOOST_AUTO_TEST_CASE(two_out_of_one_run) {
  explore<OneRun<3>>("room for both", {.threads = 2, .preemptions = 2, .older_loads = 1});
  explore<OneRun<2>>("room for one", {.threads = 2, .preemptions = 3, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(a_growing_block_takes_a_part_of_a_run) {
  const model::Bounds bounds{.threads = 2, .preemptions = 2, .older_loads = 1};
  explore<Growing<false>>("a growing block", bounds);
  explore<Growing<true>>("a growing block alone", bounds);
}
BOOST_AUTO_TEST_CASE(neighbours_come_back) {
  explore<JoinTwo>("two neighbours", {.threads = 2, .preemptions = 3, .older_loads = 2});
  explore<Join>("three neighbours", {.threads = 3, .preemptions = 2});
}
BOOST_AUTO_TEST_CASE(one_comes_back_and_one_is_taken) {
  explore<GiveAndTake>("give and take", {.threads = 2, .preemptions = 3, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(entries_come_and_go) {
  explore<Stale>("stale entries", {.threads = 2, .preemptions = 2, .older_loads = 1});
  explore<Left>("what is left", {.threads = 2, .preemptions = 2, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(a_large_place_is_taken_at_once) {
  explore<Large>("large", {.threads = 2, .preemptions = 3, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(freed_twice_at_once) {
  const model::Bounds bounds{.threads = 2, .preemptions = 2, .older_loads = 2};
  explore<FreedTwice<Where::kRuns>>("freed twice", bounds);
  explore<FreedTwice<Where::kSpilled>>("freed twice, spilled", bounds);
  explore<FreedTwice<Where::kLarge>>("freed twice, large", bounds);
}
BOOST_AUTO_TEST_CASE(pages_are_purged) {
  explore<Purge>("purge", {.threads = 2, .preemptions = 2, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(two_need_a_chunk) {
  explore<Grow>("grow", {.threads = 2, .preemptions = 1, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(a_block_grows_where_it_is) {
  explore<Resize>("resize", {.threads = 2, .preemptions = 3, .older_loads = 1});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
