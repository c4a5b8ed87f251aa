// SPDX-License-Identifier: MIT
// Slots of hardened blocks: the address space, which slots are free, and a word that says of each
// what is in it. Every class has a region of its own, and memory never changes its class.
//
//   never made --grow--> free list --take--> in use --shelve--> quarantine
//                            ^                                      |
//                            +---- pushed out by a later one -------+
//
// A slot gets memory when it is made, one of some MiB when it is first taken.
//
// A slot that is on its way between two of them when the process forks is lost to the child. Any
// thread, signal handlers included; no lock, no heap.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/owned_cell.h"
#include "alloc/core/range.h"
#include "alloc/guard/parts.h"
#include "alloc/guard/random.h"
#include "alloc/guard/slot_classes.h"
#include "alloc/os/os.h"

namespace spillway::guard {

// What a slot holds. All zero: it was never used.
class SlotContents {
 public:
  constexpr SlotContents() = default;
  constexpr explicit SlotContents(uint64_t word) : word_(word) {}
  // `start` counts from the slot's first byte; both below 2^28.
  static constexpr SlotContents live(size_t start, size_t size) {
    return SlotContents(kLive | kUsed | uint64_t{start} << kFieldBits | size);
  }

  constexpr bool is_live() const { return (word_ & kLive) != 0; }
  constexpr bool was_used() const { return (word_ & kUsed) != 0; }
  // `exposed`: its memory can be accessed, although guard pages were to prevent that.
  constexpr SlotContents freed(bool exposed) const {
    return SlotContents((word_ & ~kLive) | (exposed ? kExposed : 0));
  }
  constexpr bool is_exposed() const { return (word_ & kExposed) != 0; }
  constexpr size_t size() const { return word_ & kFieldMask; }
  constexpr size_t start() const { return word_ >> kFieldBits & kFieldMask; }
  constexpr uint64_t word() const { return word_; }

 private:
  static constexpr unsigned kFieldBits = 28;
  static constexpr uint64_t kFieldMask = (uint64_t{1} << kFieldBits) - 1;
  static constexpr uint64_t kExposed = uint64_t{1} << 61;
  static constexpr uint64_t kUsed = uint64_t{1} << 62;
  static constexpr uint64_t kLive = uint64_t{1} << 63;

  uint64_t word_ = 0;
};

struct SlotName {
  uint32_t class_index;
  uint32_t number;
};

class SlotPool {
 public:
  // Reserves address space for about `region_bytes` of each class, a power of two, or less where
  // the kernel refuses. False: there is none, and the pool owns no address. Once `gate` is sealed
  // the pool makes no more slots.
  bool start(size_t region_bytes, const Parts& parts, Random& random, core::Range& gate);
  // For tests: unmaps all.
  void stop();

  bool owns(const void* pointer) const {
    const size_t bytes = bytes_.get_acquire();  // reserve() sets it after base_
    SlotName slot{};
    // relaxed: the thread that gave it up unmapped it first; who else has a pointer there has it
    // from the kernel.
    return reinterpret_cast<uintptr_t>(pointer) - base_.get() < bytes &&
           (!given_up_.load(std::memory_order_relaxed) || find(pointer, slot));
  }
  const SlotClasses& classes() const { return classes_; }

  // A slot of the class, whose contents say whether it was used before. With guard pages, the first
  // page of a paged one is inaccessible. False: none is left, or the kernel refuses memory.
  bool take(uint32_t class_index, SlotName& slot);
  // Into the quarantine; the one that it pushes out is free.
  void shelve(SlotName slot);

  // The slot around an address that the pool owns. False: no slot there was ever made.
  bool find(const void* pointer, SlotName& slot) const;
  std::byte* address(SlotName slot) const {
    return reinterpret_cast<std::byte*>(region(slot.class_index) +
                                        slot.number * classes_[slot.class_index].slot_bytes);
  }
  std::atomic<uint64_t>& contents(SlotName slot) const { return entry(slot).contents; }
  // Of the slot's owner: between take() and the block's life, and from its end to shelve().
  std::atomic<uint8_t>& tenant(SlotName slot) const { return entry(slot).tenant; }

  // Gives back address space of slots that were never made, all but some pages of each class. The
  // gate is sealed.
  void give_up_untouched();
  // The bytes of that, about.
  uint64_t untouched_bytes() const;

  // Of small slots: all that were ever made.
  uint64_t grown_small_bytes() const { return grown_small_bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kNoSlot = 0;  // others are stored plus 1

  struct Entry {
    std::atomic<uint64_t> contents;
    std::atomic<uint32_t> next;   // while it is in the free list
    std::atomic<uint8_t> tenant;  // relaxed: contents orders it
  };
  // One cache line each: classes do not slow each other down.
  struct alignas(64) Class {
    std::atomic<uint64_t> free_list{0};  // the first slot plus 1; above it, a count of changes
    std::atomic<uint32_t> made{0};
    std::atomic<uint32_t> turn{0};  // where in the quarantine, without random placement
    uint32_t max_slots = 0;
    Entry* entries = nullptr;
    std::atomic<uint32_t>* shelf = nullptr;
  };

  uintptr_t region(uint32_t class_index) const {
    return base_.get() + (uintptr_t{class_index} << region_shift_);
  }
  Entry& entry(SlotName slot) const { return state_[slot.class_index].entries[slot.number]; }

  template <typename Visit>
  void for_each_untouched(Visit visit) const;
  bool reserve(size_t region_bytes);
  bool pop(uint32_t class_index, SlotName& slot);
  void push(SlotName slot);
  bool grow(uint32_t class_index, SlotName& slot);
  bool commit_batch(uint32_t class_index, uint32_t first, uint32_t count);
  bool commit_slot(SlotName slot);
  bool guard_front(SlotName slot);
  bool take_from_shelf(uint32_t class_index, SlotName& slot);

  SlotClasses classes_;
  OwnedCell<uintptr_t> base_;
  OwnedCell<size_t> bytes_;
  unsigned region_shift_ = 0;
  uint32_t shelf_slots_ = 0;
  bool random_placement_ = false;
  bool guard_pages_ = false;
  Random* random_ = nullptr;
  core::Range* gate_ = nullptr;
  void* table_ = nullptr;
  size_t table_bytes_ = 0;
  std::atomic<uint64_t> grown_small_bytes_{0};
  std::atomic<bool> given_up_{false};
  Class state_[kMaxSlotClasses];
};

}  // namespace spillway::guard
