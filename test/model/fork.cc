// SPDX-License-Identifier: MIT
// A fork at any step of the other threads: the child has no block in two places, finds what is
// free, and goes on.
#include <boost/test/unit_test.hpp>

#include "test/model/engine_case.h"
#include "test/model/page_heap_case.h"

namespace spillway::model {

struct InHandOf {
  using Member = OwnedCell<uint32_t> core::PageHeap::*;
  friend Member exposed(InHandOf);
};
template struct Expose<InHandOf, &core::PageHeap::in_hand_chunk_>;

}  // namespace spillway::model

namespace spillway::core {
namespace {

using model::explore;
using model::require;
using testing::EngineCase;
using testing::kOnePage;
using testing::kTwoPages;
using testing::PageHeapCase;

constexpr unsigned kLost = 0;
constexpr unsigned kForks = 1;

constexpr model::Bounds kFork{
    .threads = 2, .preemptions = 3, .older_loads = 0, .plain_stores = true};

// --- the page heap

struct HeapFork : PageHeapCase {
  HeapFork() : PageHeapCase(6 * Chunk::kGrainsPerPage) {
    mine = take(kOnePage);
    first_of(mine) = last_of(mine) = kForks + 1;
  }
  // The child takes all there is, and none of it is a part of a block in use.
  void check_child() {
    heap.recover_after_fork(false);
    check_index();
    for (Block block; (block = take(kOnePage)).start != nullptr;) {
      for (const Block& other : {mine, theirs}) {
        require(
            block.start + block.bytes <= other.start || other.start + other.bytes <= block.start,
            "a block is free and has an owner");
      }
    }
    give(mine);
    mine = take(kOnePage);
    require(mine.start != nullptr, "what the child frees it can take");
  }
  void give_theirs() {
    Block block = theirs;
    theirs = {};
    give(block);
  }
  void finish() {}
  Block mine;
  Block theirs;  // of the thread that is lost
};

struct LostTakeAndGive : HeapFork {
  void thread(unsigned number) {
    if (number == kLost) {
      theirs = take(kTwoPages);
      give_theirs();
    } else {
      model::lose_other_threads();
      check_child();
    }
  }
};

// A page comes back, and its run has no entry yet.
struct LostGive : PageHeapCase {
  LostGive() : PageHeapCase(2 * Chunk::kGrainsPerPage) {
    for (Block& block : blocks) {
      block = take(kOnePage);
      first_of(block) = last_of(block) = kLost + 1;
    }
    require(take(kOnePage).start == nullptr, "no entry is left");
  }
  void thread(unsigned number) {
    if (number == kLost) {
      give(blocks[0]);
    } else {
      model::lose_other_threads();
      heap.recover_after_fork(false);
      check_index();
    }
  }
  void finish() {}
  Block blocks[2];
};

// What a lost purge had in hand is free again, but for the page it was about to claim; and what it
// had given back, and another thread took, is not.
struct LostPurge : HeapFork {
  LostPurge() {
    Block block = take(kTwoPages);
    give(block);
    heap.age_pages();
  }
  void thread(unsigned number) {
    if (number == kLost) {
      for (int step = 0; step < 2; ++step) {
        uint32_t cursor = 0;
        bool refused = false;
        heap.purge(cursor, SIZE_MAX, true, refused);
      }
    } else {
      theirs = take(kTwoPages);
      model::lose_other_threads();
      const bool in_hand = (heap.*exposed(model::InHandOf{})).get() != UINT32_MAX;
      heap.recover_after_fork(false);
      check_index();
      const uint64_t there = free_bytes() + theirs.bytes + kGranuleSize;
      require(there <= at_start, "a page is in two places");
      require(there + (in_hand ? 1 : 2) * kGranuleSize >= at_start,
              "what a purge had in hand is lost");
      check_child();
    }
  }
};

// --- an engine's caches

template <typename Store>
struct EngineFork : EngineCase<Store> {
  EngineFork() {
    this->attach(kLost);
    this->attach(kForks);
    this->free(kForks, this->allocate(kForks));
    this->free(kLost, this->allocate(kLost));
    mine = this->allocate(kForks);
  }
  void free_theirs() {
    void* const block = theirs;
    theirs = nullptr;
    this->free(kLost, block);
  }
  void thread(unsigned number) {
    if (number == kLost) {
      // Pops, misses and refills; pushes, spills; ends.
      at_work = true;
      void* const first = this->allocate(kLost);
      theirs = this->allocate(kLost);
      void* const third = this->allocate(kLost);
      this->free(kLost, first);
      free_theirs();
      this->free(kLost, third);
      this->engine.detach(this->thread_states[kLost]);
      return;
    }
    model::lose_other_threads();
    this->engine.recover_after_fork(this->thread_states[kForks], false);
    stats::Snapshot snapshot;
    this->engine.collect(snapshot);
    require(snapshot.thread_caches == 1, "the lost thread's cache was given back");
    const uint32_t there = this->take_all(kForks, {mine, theirs});
    // What was on its way: three blocks that were live, and a batch of a bin's half.
    const uint32_t on_its_way = at_work ? 3 + EngineCase<Store>::kCapacity : 0;
    require(there + 1 + on_its_way >= this->kSlots, "more is lost than was under way");
    this->free(kForks, mine);
    this->engine.flush(this->thread_states[kForks]);
    this->attach(2);
    void* const block = this->allocate(2);
    require(block != nullptr, "a new thread has blocks");
    this->free(2, block);
    require(this->told == 0, "no block was freed twice");
  }
  void finish() {}
  void* mine;
  void* theirs = nullptr;
  bool at_work = false;  // the thread that is lost
};

BOOST_AUTO_TEST_SUITE(fork)

BOOST_AUTO_TEST_CASE(a_page_heap) {
  explore<LostTakeAndGive>("lost take and give", kFork);
  explore<LostGive>("lost give", kFork);
  explore<LostPurge>("lost purge", kFork);
}
BOOST_AUTO_TEST_CASE(a_pools_caches) { explore<EngineFork<SlotStore>>("a pool's caches", kFork); }
BOOST_AUTO_TEST_CASE(a_heaps_caches) { explore<EngineFork<PageHeap>>("a heap's caches", kFork); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
