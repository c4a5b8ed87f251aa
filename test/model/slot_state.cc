// SPDX-License-Identifier: MIT
// Two threads free one block at once, each before it could see the other: one is told, and the
// block is free once.
#include <boost/test/unit_test.hpp>

#include "test/model/engine_case.h"

namespace spillway::core {
namespace {

using model::explore;
using model::require;
using testing::EngineCase;

template <typename Store>
struct FreedTwice : EngineCase<Store> {
  FreedTwice() {
    this->attach(0);
    this->attach(1);
    block = this->allocate(0);
  }
  // As free() does: what is not live is misuse, and told at once.
  void thread(unsigned number) {
    StateByte& state = this->state(block);
    if (is_live(state.load())) {
      state.store(SlotState::kFree);
      this->give(this->thread_states[number], block);
    } else {
      told_at_once[number] = 1;
    }
    this->engine.flush(this->thread_states[number]);
  }
  void finish() {
    require(this->told + told_at_once[0] + told_at_once[1] == 1,
            "one of two threads learns that a block was freed twice");
    require(this->take_all(0) == this->kSlots, "a block is lost");
  }
  void* block;
  uint32_t told_at_once[2] = {};
};

// A watched one, whose note is taken by the thread that finds it live: whichever of them comes
// first, the other is told, at once.
struct WatchedTwice : EngineCase<PageHeap> {
  WatchedTwice() {
    attach(0);
    attach(1);
    block = allocate(0);
    state(block).store(watched_state(offset(block)));
  }
  void thread(unsigned number) {
    const SlotState seen = state(block).load();
    if (!is_watched(seen) || !state(block).replace(seen, SlotState::kFree)) {
      told_at_once[number] = 1;
      return;
    }
    ++notes_taken;
    give(thread_states[number], block);
    engine.flush(thread_states[number]);
  }
  void finish() {
    require(told_at_once[0] + told_at_once[1] == 1 && told == 0,
            "one of two threads learns that a block was freed twice");
    require(notes_taken == 1, "the note is taken once");
    require(take_all(0) == kSlots, "a block is lost");
  }
  void* block;
  uint32_t told_at_once[2] = {};
  uint32_t notes_taken = 0;
};

BOOST_AUTO_TEST_SUITE(slot_state)

BOOST_AUTO_TEST_CASE(freed_twice_at_once) {
  explore<FreedTwice<SlotStore>>("freed twice to a pool", {.threads = 2, .preemptions = 2});
  explore<FreedTwice<PageHeap>>("freed twice to a heap",
                                {.threads = 2, .preemptions = 1, .older_loads = 1});
}

BOOST_AUTO_TEST_CASE(a_watched_one_freed_twice_at_once) {
  explore<WatchedTwice>("watched, freed twice", {.threads = 2, .preemptions = 2, .older_loads = 1});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
