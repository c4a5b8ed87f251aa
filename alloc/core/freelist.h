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
  void attach(void* memory, uint32_t slots);

  // Moves up to `wanted` free slots to `out` and returns how many, neighbours first. `hint` is the
  // caller's word: the search starts there, and it is set to where slots were found.
  // At most four words are emptied, so fewer than wanted may come; 0: nothing was free.
  uint32_t take(uint32_t& hint, SlotIndex* out, uint32_t wanted);

  // Adds slots; `hint` becomes the word of the last. Returns a slot that was here already (a double
  // free: it is here once all the same), or kNoSlot.
  static constexpr SlotIndex kNoSlot{UINT32_MAX};
  SlotIndex put(uint32_t& hint, const SlotIndex* slots, uint32_t count);

  bool contains(SlotIndex slot) const;
  // Free slots; exact while nobody else calls. Reads the whole bitmap below `slots`.
  uint32_t count(uint32_t slots) const;
  uint32_t words() const { return words_[0]; }

 private:
  using Word = std::atomic<uint64_t>;
  static constexpr uint32_t kNoWord = UINT32_MAX;
  static constexpr unsigned kMostLevels = 6;  // 64^6 slots

  uint32_t take_from_word(uint32_t word, SlotIndex* out, uint32_t wanted);
  // The first bit at or after `from` that is set at `level` (a word index of the level below);
  // removes stale bits of the levels above on the way.
  uint32_t find_bit(unsigned level, uint32_t from);
  void mark(unsigned level, uint32_t bit);
  void retire(unsigned level, uint32_t bit);
  void fill(uint32_t word, uint64_t mask, SlotIndex& duplicate);

  Word* levels_[kMostLevels] = {};
  uint32_t words_[kMostLevels] = {};
  unsigned level_count_ = 0;
};

}  // namespace spillway::core
