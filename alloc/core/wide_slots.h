// SPDX-License-Identifier: MIT
// Blocks that grow by realloc(): one to a slot that is many times as long as most of them ever get,
// so that growing needs no copy. Slots cost address space only; a block is resident as far
// as the program wrote. A freed slot keeps its memory for the next block until no block took it for
// a while.
//
//   slot n:   | block ......... | had memory before ... | never touched ........ |
//             0              size                  resident             slot_bytes
//
// Lock-free, any thread; once for each block that grows beyond its neighbourhood. Cost: a look at
// some free slots, one read-modify-write to take a slot and one to give it back, and a few system
// calls in a slot's life.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/core/freelist.h"
#include "alloc/core/heap_arena.h"
#include "alloc/stats/statistics.h"

namespace spillway::core {

class WideSlots {
 public:
  // Bytes of a wide area that is at most so long; 0: that would be too short to be of use.
  static size_t area_bytes(size_t max_bytes);
  // Bytes of zeroed memory that attach() needs.
  static size_t bytes_needed(size_t area);
  // Takes over `area` bytes of the arena from `first` on. `memory` is zero, aligned to 8, and
  // stays.
  void attach(HeapArena& arena, Granule first, size_t area, void* memory);

  // The longest block there can be; 0: none.
  size_t max_bytes() const { return max_bytes_; }
  bool owns(size_t offset) const { return offset >= first_offset_; }

  // A block of at least `size` bytes, at most max_bytes(); not marked live. Null when there is no
  // slot or no memory.
  void* take(size_t size);
  // A block back, its state byte already kFree.
  void give(void* block);

  // The start of the slot that a granule belongs to, and of its block.
  Granule slot_start(Granule granule) const { return start_of(number_of(granule)); }
  void* block_of(Granule granule) const {
    const uint32_t number = number_of(granule);
    return static_cast<char*>(arena_->address(start_of(number))) + colour_of(number);
  }
  bool was_used(Granule granule) const { return number_of(granule) < used(); }

  // Bytes that may be used: the size asked for, rounded up to a page's end.
  size_t usable(const void* block) const {
    return bytes_of(slot(number_of(block)).granules.load(std::memory_order_relaxed), block);
  }
  // Makes a live block longer or shorter where it is; false when it would not fit its slot. Memory
  // goes back to the kernel when it shrinks to no more than a quarter of what it has.
  bool resize(void* block, size_t size) {
    if (size > max_bytes_) {
      return false;
    }
    const uint32_t number = number_of(block);
    Slot& resized = slot(number);
    const uint32_t granules = granules_for(inside_granule(arena_->offset(block)) + size);
    const uint32_t resident = resized.resident.load(std::memory_order_relaxed);
    const bool shrinks = granules < resized.granules.load(std::memory_order_relaxed);
    if (granules > resident || (shrinks && has_long_tail(granules, resident))) {
      return resize_slot(number, granules);
    }
    resized.granules.store(granules, std::memory_order_relaxed);
    return true;
  }

  // Gives back the memory of slots that were free since before the last call but one. Returns the
  // bytes that free slots still have. One caller at a time; ends between two slots when `stop` is
  // set.
  uint64_t purge_old(const std::atomic<bool>& stop, bool& refused);
  // Of all free slots.
  void purge_all(const std::atomic<bool>& stop, bool& refused);
  // Bytes that free slots have, but no more than `max_bytes` and a slot.
  uint64_t free_bytes_up_to(uint64_t max_bytes);
  // That slots were extended to, since the start: about what was touched.
  uint64_t touched_bytes() const { return touched_bytes_.load(std::memory_order_relaxed); }
  uint64_t purged_bytes() const { return purged_bytes_.load(std::memory_order_relaxed); }

  // Of a sealed arena, see PageHeap::give_up_untouched().
  void give_up_untouched();
  // The bytes of that.
  uint64_t untouched_bytes() const;

  // In a forked child: what the put() of a thread that did not come along left undone, and the slot
  // that such a thread was purging.
  void recover_after_fork(bool purge_was_ours);

  void collect(stats::Snapshot& snapshot) const;

 private:
  using Count = std::atomic<uint32_t>;
  struct Slot {
    Count granules;   // of the live block, from the slot's start; 0: there is none
    Count resident;   // that may have memory
    Count committed;  // that may be used without asking the kernel
    Count freed_at;   // by the clock of purge_old()
    std::atomic<uint64_t> allocations;
  };
  // Whether what lies behind a live block is worth a system call. A block that swings between two
  // sizes is not to fault its memory in at each swing, and one that shrinks for good is to give
  // most of it back.
  static constexpr bool has_long_tail(uint32_t granules, uint32_t resident) {
    constexpr uint32_t kMinTail = 256 * kKiB >> kGranuleShift;
    return granules <= resident / 4 && granules + kMinTail <= resident;
  }

  static constexpr uint32_t granules_for(size_t bytes) {
    return static_cast<uint32_t>(divide_up(bytes, kGranuleSize));
  }
  // From a block's start to the end of a slot's first granules.
  size_t bytes_of(uint32_t granules, const void* block) const {
    return (size_t{granules} << kGranuleShift) - inside_granule(arena_->offset(block));
  }
  static size_t slot_bytes(size_t area);
  // Where in its first granule a block starts. Not at the line that the entry of its slot has in
  // its page: processors take a load for one of what was just stored when the address differs in
  // whole pages only, and a program that writes to each new page and calls realloc would wait for
  // each (bench_memory realloc/1MiB: a tenth). Slots are 1024 granules or a multiple.
  static constexpr size_t colour_of(uint32_t number) {
    constexpr size_t kLinesPerPage = kGranuleSize / kLineSize;
    // Lines of entries, from a slot's to the next.
    constexpr size_t kLinesPerState = 1024 * sizeof(PageEntry) / kLineSize;
    constexpr size_t kStarts = kLinesPerPage - kLinesPerPage / kLinesPerState;
    const size_t colour = number % kStarts;
    return (colour + colour / (kLinesPerState - 1) + 1) << kLineShift;
  }

  Slot& slot(uint32_t number) const { return slots_[number]; }
  uint32_t number_of(Granule granule) const {
    return (raw(granule) - first_granule_) >> slot_shift_;
  }
  uint32_t number_of(const void* block) const {
    return number_of(arena_->granule_at(arena_->offset(block)));
  }
  Granule start_of(uint32_t number) const {
    return Granule{first_granule_ + (number << slot_shift_)};
  }
  uint32_t used() const { return used_.load(std::memory_order_relaxed); }
  void extend(Slot& slot, uint32_t granules);
  // Of a live block, to so many granules from the slot's start.
  bool resize_slot(uint32_t number, uint32_t granules);
  uint32_t take_with_memory(uint32_t granules);
  uint32_t best_with_memory(uint32_t granules);
  uint32_t take_untouched();
  bool commit_more(uint32_t number, uint32_t granules);
  bool commit(uint32_t number, uint32_t granules) {
    return granules <= slot(number).committed.load(std::memory_order_relaxed) ||
           commit_more(number, granules);
  }
  // The slot, if it could be committed; otherwise it is put back and there is none.
  uint32_t committed(uint32_t number, uint32_t granules);
  void put_back(uint32_t number);
  bool purge_slot(uint32_t number, uint32_t keep_granules);
  uint64_t purge_free(uint32_t newest, const std::atomic<bool>& stop, bool& refused);

  static constexpr uint32_t kNone = UINT32_MAX;

  HeapArena* arena_ = nullptr;
  size_t first_offset_ = SIZE_MAX;
  uint32_t first_granule_ = 0;
  uint32_t slot_granules_ = 0;  // a power of two
  unsigned slot_shift_ = 0;
  uint32_t slot_count_ = 0;
  size_t max_bytes_ = 0;
  Slot* slots_ = nullptr;
  // relaxed, all atomics here: a slot and what is said of it has one owner, and the lists, whose
  // put() pairs with take(), hand it on; the others are counts that order nothing.
  Freelist dirty_;  // free with memory
  Freelist clean_;  // free without
  Count used_{0};   // slots taken into use so far
  Count clock_{0};
  OwnedCell<uint32_t> in_hand_{kNone};  // out of the lists for its purge
  std::atomic<uint64_t> touched_bytes_{0};
  std::atomic<uint64_t> purged_bytes_{0};
};

}  // namespace spillway::core
