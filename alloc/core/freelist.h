// SPDX-License-Identifier: MIT
// The free slots of one class: a bitmap with an occupancy summary. Lock-free; any thread, signal
// handlers and forked children included, may call any member at any time.
//
//   level 0: one bit per slot, set while the slot is here       [........|..11.1..|........|...]
//   level 1: one bit per level-0 word that may be non-zero       [.1......]
//   level n: a single word: an empty take loads one word a level [1]
//
// A word holds 64 neighbouring slots, so that slots which were taken together go back with one
// read-modify-write and free memory stays in dense runs.
//
// A clear bit above a non-zero word exists only while the put() that filled the word is still
// running; a set bit above a zero word is removed by the take() that trips over it. Both sides
// touch word and summary in opposite orders, so one of them always sees the other:
//
//   put:  word |= slots;  then: is the summary bit set? else set it
//   take: summary &= ~bit; then: is the word still zero? else set the bit again
//
// Memory: 1 bit and 1/64 per slot. Cost: one read-modify-write per word touched.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "alloc/base/index.h"

namespace spillway::core {

class Freelist {
 public:
  static constexpr unsigned kSlotsPerWord = 64;

  // Bytes of zeroed memory that attach() needs.
  static size_t bytes_needed(uint32_t slots);
  // `memory` is zero, aligned to 8, and stays for the object's life; no slot is free at first.
  // Lists of the same slots may share memory, `lanes` times as much, word by word: small ones then
  // take a page together.
  void attach(void* memory, uint32_t slots, uint32_t lanes = 1, uint32_t lane = 0);

  // Moves up to `wanted` free slots to `out` and returns how many, neighbours first. `hint` is the
  // caller's word, below words(): the search starts there, and it is set to where slots were found.
  // At most four words are emptied, so fewer than wanted may come; 0: nothing was free.
  uint32_t take(uint32_t& hint, SlotIndex* out, uint32_t wanted);

  // Adds slots; `hint` becomes the word of the last. Returns a slot that was here already (a double
  // free: it is here once all the same), or kNoSlot.
  static constexpr SlotIndex kNoSlot{UINT32_MAX};
  SlotIndex put(uint32_t& hint, const SlotIndex* slots, uint32_t count);

  // No free slot, unless a put() still runs. One load.
  bool seems_empty() const {
    // relaxed: a momentary answer.
    return word_at(level_count_ - 1, 0).load(std::memory_order_relaxed) == 0;
  }

  // By words, for moving slots between lists of the same class. The first word at or after `from`
  // that may have slots, or kNoWord.
  static constexpr uint32_t kNoWord = UINT32_MAX;
  uint32_t next_word(uint32_t from) { return find_bit(1, from); }
  // Takes the lowest `max_slots` slots of a word; bit i is slot 64 * word + i.
  uint64_t take_word(uint32_t word, uint32_t max_slots = kSlotsPerWord);
  // Adds such slots; one that is here already (freed twice meanwhile) is here once.
  void put_word(uint32_t word, uint64_t slots);
  // Calls `action(word)` for each that may have slots.
  template <typename Action>
  void for_each_word(Action action) {
    for (uint32_t word = next_word(0); word != kNoWord; word = next_word(word + 1)) {
      action(word);
    }
  }

  // The first slot at or after `from` that is here, or kNoSlot.
  SlotIndex next_slot(SlotIndex from);
  // Takes this very slot; false when it is not here (any more). One read-modify-write: that the
  // word is empty now the summary learns from the next look, if it is still so.
  bool take_slot(SlotIndex slot);
  // Calls `action(slot)` for each slot that is here; it may take the slot.
  template <typename Action>
  void for_each_slot(Action action) {
    for_each_word([this, &action](uint32_t word) {
      retire_if_stale(1, word);
      // relaxed: a look; a caller that wants a slot takes it.
      for (uint64_t left = word_at(0, word).load(std::memory_order_relaxed); left != 0;
           left &= left - 1) {
        action(SlotIndex{word * kSlotsPerWord + static_cast<uint32_t>(std::countr_zero(left))});
      }
    });
  }

  // In a forked child: has the summary know of each slot that is here, whatever became of the put()
  // of a thread that did not come along. Reads the bitmap of the first `slots`.
  void repair(uint32_t slots);

  bool contains(SlotIndex slot) const;
  // Free slots; exact while no other thread calls. Reads the whole bitmap below `slots`.
  uint32_t count(uint32_t slots) const;
  uint32_t words() const { return words_[0]; }

 private:
  using Word = std::atomic<uint64_t>;
  static constexpr unsigned kMaxLevels = 6;  // 64^6 slots

  uint32_t take_from_word(uint32_t word, SlotIndex* out, uint32_t wanted);
  // The first bit at or after `from` that is set at `level` (a word index of the level below);
  // removes stale bits of the levels above on the way.
  uint32_t find_bit(unsigned level, uint32_t from);
  void mark(unsigned level, uint32_t bit);
  void retire(unsigned level, uint32_t bit);
  // If the bit says that there is something below and there is nothing. Each stale bit is met once.
  void retire_if_stale(unsigned level, uint32_t bit);
  SlotIndex put_scattered(uint32_t& hint, const SlotIndex* slots, uint32_t count,
                          SlotIndex duplicate);
  void fill(uint32_t word, uint64_t mask, SlotIndex& duplicate);

  Word& word_at(unsigned level, uint32_t word) const { return levels_[level][word * lanes_]; }

  Word* levels_[kMaxLevels] = {};
  uint32_t words_[kMaxLevels] = {};
  unsigned level_count_ = 0;
  uint32_t lanes_ = 0;
};

}  // namespace spillway::core
