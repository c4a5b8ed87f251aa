// SPDX-License-Identifier: MIT
// The freelist's word and summary: a slot that was put is found by the next take, and by one only.
#include "alloc/core/freelist.h"

#include <boost/test/unit_test.hpp>

#include "test/model/explore.h"

namespace spillway::core {
namespace {

using model::explore;
using model::require;

// So many slots that the list has as many levels as said.
constexpr uint32_t kTwoLevels = 128;
constexpr uint32_t kThreeLevels = 64 * 64 + 64;

// A list, and of each slot who has it and what its owner wrote there.
template <uint32_t kSlots>
struct ListCase {
  ListCase() { list.attach(memory, kSlots); }

  void own(SlotIndex slot, unsigned thread) {
    contents[raw(slot)] = thread + 1;
    mine[thread] = slot;
    require(++taken[raw(slot)] == 1, "a slot was taken twice");
  }
  void put(SlotIndex slot, unsigned thread) {
    require(contents[raw(slot)] == thread + 1, "another thread wrote to the slot");
    contents[raw(slot)] = 0;
    --taken[raw(slot)];
    uint32_t hint = 0;
    require(list.put(hint, &slot, 1) == Freelist::kNoSlot, "a slot was there already");
  }
  bool take(unsigned thread, uint32_t from = 0) {
    uint32_t hint = from;
    SlotIndex slot;
    if (list.take(hint, &slot, 1) == 0) {
      return false;
    }
    own(slot, thread);
    return true;
  }
  // All slots that were ever free are somewhere, and the list finds its own.
  void finish_with(uint32_t slots) {
    const uint32_t there = list.count(kSlots);
    uint32_t owned = 0;
    for (const uint32_t count : taken) {
      owned += count;
    }
    require(there + owned == slots, "a slot is lost");
    uint32_t found = 0;
    list.for_each_slot([&found](SlotIndex) { ++found; });
    require(found == there, "a slot is in the list and is not found");
  }

  Freelist list;
  alignas(8) char memory[(kSlots / 64 + 3) * 8] = {};
  uint32_t contents[kSlots] = {};
  uint32_t taken[kSlots] = {};
  SlotIndex mine[model::kMaxThreads] = {};
};

// One takes the last slot of a word and clears the summary while another puts one into the word.
template <uint32_t kSlots>
struct PutMeetsRetire : ListCase<kSlots> {
  static constexpr SlotIndex kFirst{kSlots - 64};
  static constexpr SlotIndex kSecond{kSlots - 63};
  PutMeetsRetire() {
    this->own(kSecond, 1);
    uint32_t hint = 0;
    this->list.put(hint, &kFirst, 1);
  }
  void thread(unsigned number) {
    if (number == 0) {
      this->take(0, raw(kFirst) / 64);
      this->list.next_slot(SlotIndex{0});  // trips over the summary's bit
    } else {
      this->put(kSecond, 1);
    }
  }
  void finish() { this->finish_with(2); }
};

// Two put and one takes, at the same word.
struct TwoPutsOneTake : ListCase<kTwoLevels> {
  TwoPutsOneTake() {
    own(SlotIndex{64}, 0);
    own(SlotIndex{65}, 1);
  }
  void thread(unsigned number) {
    if (number < 2) {
      put(SlotIndex{64 + number}, number);
    } else {
      take(2);
      take(2);
    }
  }
  void finish() { finish_with(2); }
};

// Slots change hands, and what the one wrote is not in the other's way.
struct HandOver : ListCase<kTwoLevels> {
  HandOver() {
    for (const uint32_t slot : {0U, 1U, 64U}) {
      own(SlotIndex{slot}, 0);
    }
    put(SlotIndex{1}, 0);
  }
  void thread(unsigned number) {
    if (number == 0) {
      put(SlotIndex{0}, 0);
      put(SlotIndex{64}, 0);
    } else if (take(number)) {
      put(mine[number], number);
    }
  }
  void finish() { finish_with(3); }
};

// By whole words, as pools purge.
struct Words : ListCase<kTwoLevels> {
  Words() { own(SlotIndex{64}, 0); }
  void thread(unsigned number) {
    if (number == 0) {
      put(SlotIndex{64}, 0);
      list.next_word(0);
    } else {
      const uint64_t slots = list.take_word(1);
      if (slots != 0) {
        own(SlotIndex{64}, 1);
        require(contents[64] == 2, "another thread wrote to the slot");
        contents[64] = 0;
        --taken[64];
        list.put_word(1, slots);
      }
    }
  }
  void finish() { finish_with(1); }
};

// One thread takes a certain slot, as wide slots are taken, another looks for any.
struct TakeSlot : ListCase<kTwoLevels> {
  TakeSlot() { own(SlotIndex{70}, 0); }
  void thread(unsigned number) {
    if (number == 0) {
      put(SlotIndex{70}, 0);
    } else if (number == 1) {
      if (list.take_slot(SlotIndex{70})) {
        own(SlotIndex{70}, 1);
      }
    } else {
      take(2);
    }
  }
  void finish() { finish_with(1); }
};

// Of two threads that free one slot at the same time one is told.
struct FreedTwice : ListCase<kTwoLevels> {
  void thread(unsigned number) {
    const SlotIndex slot{64};
    uint32_t hint = 0;
    told[number] = list.put(hint, &slot, 1) == slot;
  }
  void finish() {
    require(told[0] != told[1], "one of two threads learns that a slot was freed twice");
    require(list.count(kTwoLevels) == 1, "a slot that was freed twice is there once");
  }
  bool told[2] = {};
};

// A put of a lost thread may have ended at any step: repair() has the slot found.
struct LostPut : ListCase<kTwoLevels> {
  LostPut() { own(SlotIndex{64}, 0); }
  void thread(unsigned number) {
    if (number == 0) {
      put(SlotIndex{64}, 0);
    } else {
      model::lose_other_threads();
      list.repair(kTwoLevels);
      uint32_t found = 0;
      list.for_each_slot([&found](SlotIndex) { ++found; });
      require(found == list.count(kTwoLevels), "a slot is in the list and is not found");
    }
  }
  void finish() {}
};

BOOST_AUTO_TEST_SUITE(freelist)

BOOST_AUTO_TEST_CASE(a_put_meets_the_end_of_its_word) {
  explore<PutMeetsRetire<kTwoLevels>>("put meets retire",
                                      {.threads = 2, .preemptions = 4, .older_loads = 3});
  explore<PutMeetsRetire<kThreeLevels>>("put meets retire, three levels",
                                        {.threads = 2, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(two_puts_and_a_take) {
  explore<TwoPutsOneTake>("two puts and a take",
                          {.threads = 3, .preemptions = 3, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(slots_change_hands) {
  explore<HandOver>("hand over", {.threads = 3, .preemptions = 3, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(words_change_hands) { explore<Words>("words", {.threads = 2}); }
BOOST_AUTO_TEST_CASE(a_certain_slot) { explore<TakeSlot>("take slot", {.threads = 3}); }
BOOST_AUTO_TEST_CASE(freed_twice_at_once) { explore<FreedTwice>("freed twice", {.threads = 2}); }
BOOST_AUTO_TEST_CASE(a_put_that_was_lost) { explore<LostPut>("lost put", {.threads = 2}); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
