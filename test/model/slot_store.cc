// SPDX-License-Identifier: MIT
// A pool's slots: what is purged reads as zero and no other slot is called so, beside threads that
// take and free slots, and in a child that a fork made in the middle.
#include "alloc/core/slot_store.h"

#include <array>
#include <boost/test/unit_test.hpp>

#include "test/model/explore.h"
#include "test/model/exposed.h"

namespace spillway::model {

struct InHandSlotsOf {
  using Member = OwnedCell<uint64_t> core::Central::*;
  friend Member exposed(InHandSlotsOf);
};
template struct Expose<InHandSlotsOf, &core::Central::in_hand_slots_>;

}  // namespace spillway::model

namespace spillway::core {
namespace {

using model::explore;
using model::require;

constexpr ClassIndex kOnly{1};

// Slots that are no whole number of pages: 6 KiB, so that two of them share each second page.
struct StoreCase {
  static constexpr uint32_t kSlots = 4;
  static constexpr std::array<uint32_t, 1> kSizes = {6144};
  static constexpr uint32_t kBytes = kSizes[0];

  // `used`: all slots were in use before, and are free.
  explicit StoreCase(bool used = true) {
    require(store.start({.block_sizes = kSizes,
                         .max_span_bytes = Range::kAlignment,
                         .min_span_bytes = Range::kAlignment,
                         .granule_shift = 11,
                         .max_slots = kSlots}),
            "the store starts");
    if (!used) {
      return;
    }
    void* all[kSlots];
    for (void*& block : all) {
      block = take();
      contents(block, 0) = contents(block, 1) = model::this_thread() + 1;
    }
    for (void* const block : all) {
      give(block);
    }
  }

  // The words at both ends of a block, and in the middle.
  static uint64_t& contents(void* block, int at) {
    return *reinterpret_cast<uint64_t*>(static_cast<char*>(block) +
                                        (at == 0 ? 0 : kBytes - sizeof(uint64_t)));
  }
  StateByte& state(const void* block) const {
    return store.arena().state(store.arena().granule_at(store.arena().offset(block)));
  }
  // May be null.
  void* take() {
    void* block = nullptr;
    uint32_t hint = 0;
    if (store.take(kOnly, hint, &block, 1) == 0) {
      return nullptr;
    }
    require(!is_live(state(block).load()), "a slot is in two places");
    require(state(block).load() != SlotState::kClean ||
                (contents(block, 0) == 0 && contents(block, 1) == 0),
            "a slot was called clean and is not zero");
    state(block).store(SlotState::kFirstLive);
    contents(block, 0) = contents(block, 1) = model::this_thread() + 1;
    return block;
  }
  void give(void* block) {
    if (block == nullptr) {
      return;
    }
    const uint64_t mine = model::this_thread() + 1;
    require(contents(block, 0) == mine && contents(block, 1) == mine,
            "a slot's contents are its owner's");
    state(block).store(SlotState::kFree);
    uint32_t hint = 0;
    require(store.put(kOnly, hint, &block, 1) == nullptr, "a slot was free already");
  }
  void purge() {
    uint32_t cursor = 0;
    bool refused = false;
    store.purge(kOnly, cursor, SIZE_MAX, refused);
  }
  // Takes all there is.
  uint32_t take_all() {
    uint32_t count = 0;
    while (take() != nullptr) {
      ++count;
    }
    return count;
  }
  void finish() { require(take_all() == kSlots, "a slot is lost"); }

  SlotStore store;
};

struct Purge : StoreCase {
  void thread(unsigned number) {
    if (number == 0) {
      purge();
    } else {
      void* const first = take();
      void* const second = take();
      give(first);
      give(second);
    }
  }
};

// Slots in use on both sides of those that are purged.
struct Edges : StoreCase {
  Edges() {
    void* all[kSlots];
    for (void*& block : all) {
      block = take();
    }
    give(all[1]);
    give(all[2]);
    in_use[0] = all[0];
    in_use[1] = all[3];
  }
  void thread(unsigned number) {
    if (number == 0) {
      purge();
    } else {
      give(take());
    }
  }
  void finish() {
    for (void* const block : in_use) {
      require(contents(block, 0) != 0 && contents(block, 1) != 0, "a slot in use was purged");
    }
    require(take_all() == 2, "a slot is lost");
  }
  void* in_use[2];
};

// Three threads take and give, one of them what the others gave.
struct TakeAndGive : StoreCase {
  void thread(unsigned /*number*/) { give(take()); }
};

// Out of slots that were never in use.
struct NewSlots : StoreCase {
  NewSlots() : StoreCase(false) {}
  void thread(unsigned number) { taken[number] = take(); }
  void finish() {
    require(taken[0] != nullptr && taken[1] != nullptr, "there are slots");
    require(taken[0] != taken[1], "a slot was taken twice");
    require(take_all() == kSlots - 2, "a slot is lost");
  }
  void* taken[2];
};

// The thread that is lost purges, or takes and gives.
template <bool kPurges>
struct Lost : StoreCase {
  void thread(unsigned number) {
    if (number == 0) {
      if (kPurges) {
        purge();
      } else {
        theirs = take();
        void* const block = theirs;
        theirs = nullptr;
        give(block);
      }
      return;
    }
    model::lose_other_threads();
    const uint64_t in_hand = (store.central(kOnly).*exposed(model::InHandSlotsOf{})).get();
    store.recover_after_fork(false);
    const uint32_t there = take_all();
    require(in_hand == 0 || there == kSlots, "what a purge had in hand is lost");
    // Or what goes from one place to another at this moment: all free slots, in a purge.
    require(kPurges || there + 1 >= kSlots, "slots are lost");
  }
  void finish() {}
  void* theirs = nullptr;
};

BOOST_AUTO_TEST_SUITE(slot_store)

BOOST_AUTO_TEST_CASE(slots_are_purged) {
  explore<Purge>("slots purged", {.threads = 2, .preemptions = 3, .older_loads = 1});
  explore<Edges>("slots at the edge", {.threads = 2, .preemptions = 3, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(slots_are_taken) {
  explore<NewSlots>("new slots", {.threads = 2, .older_loads = 2});
  explore<TakeAndGive>("slots taken", {.threads = 3, .preemptions = 2, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(a_fork_at_any_step) {
  const model::Bounds fork{.threads = 2, .preemptions = 2, .older_loads = 0, .plain_stores = true};
  explore<Lost<true>>("lost purge of slots", fork);
  explore<Lost<false>>("lost take of a slot", fork);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
