// SPDX-License-Identifier: MIT
// One class of a pool: its free slots by the state of their memory, and growth when there are none.
// The place where blocks, by which threads know them, become slots and back. Lock-free; any thread
// may call any member.
//
//              put              purge()
//   caches ----------> dirty -----------> clean
//     ^                  |                  |
//     +------ take ------+------------------+---- untouched slots
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/core/arena.h"
#include "alloc/core/freelist.h"
#include "alloc/core/geometry.h"
#include "alloc/core/growth.h"

namespace spillway::core {

class Central {
 public:
  // Bytes of zeroed memory that attach() needs.
  static size_t bytes_needed(const SlotLayout& layout);
  // `memory` is zero, aligned to 8, and stays for the object's life.
  void attach(Arena& arena, ClassIndex index, const SlotLayout& layout, void* memory);

  // Moves up to `wanted` free blocks to `out`, all of them if there are so many, and returns how
  // many; those that have memory first. `hint` is the caller's, see Freelist::take().
  uint32_t take(uint32_t& hint, void** out, uint32_t wanted);
  // Gives blocks (at most kMaxBatch) to the freelist. Returns one that was there already, a block
  // freed twice at the same time, or null.
  [[nodiscard]] void* put(uint32_t& hint, void* const* blocks, uint32_t count);

  // Gives memory of free slots, at most about `max_bytes` and at least one slot, to the kernel;
  // they are clean then. Returns the bytes, 0 when there are none. `cursor` is the caller's and
  // starts at 0. One caller at a time. When the kernel refuses, the slots stay and `refused` is
  // set.
  uint64_t purge(uint32_t& cursor, uint64_t max_bytes, bool& refused);

  // In a forked child: what a thread that did not come along left undone in the lists, and, if it
  // was in purge(), the slots it had in hand.
  void recover_after_fork(bool purge_was_ours);

  bool is_free(const void* block) const;
  // Slots taken into use so far.
  uint32_t grown() const { return growth_.taken(); }
  uint32_t committed() const { return growth_.committed(); }
  uint32_t slots() const { return layout_.slots; }
  uint64_t slot_bytes() const {
    return uint64_t{layout_.stride_granules} << arena_->granule_shift();
  }
  uint32_t count_dirty() const { return dirty_.count(growth_.taken()); }
  uint32_t count_clean() const { return clean_.count(growth_.taken()); }
  uint32_t count_free() const { return count_dirty() + count_clean(); }

  // A word of the freelist for a newcomer to start at: neighbours in number get distant ones.
  uint32_t start_hint(uint32_t newcomer) const;

  // The slot that a granule of this class belongs to, and where slots start.
  SlotIndex slot_of(Granule granule) const {
    return SlotIndex{by_stride_.divide(raw(granule) - first_granule_)};
  }
  Granule granule_of(SlotIndex slot) const {
    return Granule{first_granule_ + raw(slot) * layout_.stride_granules};
  }
  void* block_of(SlotIndex slot) const { return arena_->address(granule_of(slot)); }

 private:
  SlotIndex slot_of(const void* block) const {
    return slot_of(arena_->granule_at(arena_->offset(block)));
  }
  uint32_t take_some(uint32_t& hint, SlotIndex* out, uint32_t wanted);
  // Sets bit i of `purged` when slot first + i is clean now; false when the kernel refuses.
  bool purge_run(SlotIndex first, uint32_t count, uint64_t& purged);

  Arena* arena_ = nullptr;
  SlotLayout layout_;
  Divider by_stride_;
  uint32_t first_granule_ = 0;
  Freelist dirty_;  // contents unknown
  Freelist clean_;  // without memory: reads as zero
  Growth growth_;
  // Slots out of the lists for their purge, by word and bit.
  OwnedCell<uint32_t> in_hand_word_;
  OwnedCell<uint64_t> in_hand_slots_;
};

}  // namespace spillway::core
