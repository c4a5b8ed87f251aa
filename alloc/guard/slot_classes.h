// SPDX-License-Identifier: MIT
// The sizes of slots, by the kernel's page size. A small slot is one block. A paged slot is a page
// that is never accessible and the pages of one block behind it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"

namespace spillway::guard {

// Steps in each doubling of a size: a slot is at most a fifth larger than its block needs.
inline constexpr unsigned kStepBits = 2;
// The longest small slot.
inline constexpr size_t kMaxSmallSlot = 5 * kKiB;
// Room for a block of 64 MiB, its canary and an alignment of half as much.
inline constexpr size_t kMaxBlock = 64 * kMiB;
inline constexpr size_t kMaxPagedBytes = 96 * kMiB;
inline constexpr uint32_t kMaxSlotClasses = 96;

struct SlotClass {
  size_t slot_bytes = 0;
  // Of a slot: what a block may take. Less than slot_bytes in paged slots.
  size_t block_bytes = 0;
  bool paged = false;
};

class SlotClasses {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  constexpr void start(size_t page_size) {
    count_ = 0;
    constexpr size_t kSmallStep = 16;
    for (size_t size = 2 * kSmallStep; size <= kMaxSmallSlot; size = next(size, kSmallStep)) {
      classes_[count_++] = {.slot_bytes = size, .block_bytes = size, .paged = false};
    }
    small_count_ = count_;
    for (size_t size = page_size; size <= kMaxPagedBytes; size = next(size, page_size)) {
      classes_[count_++] = {.slot_bytes = size + page_size, .block_bytes = size, .paged = true};
    }
  }

  constexpr uint32_t count() const { return count_; }
  constexpr const SlotClass& operator[](uint32_t index) const { return classes_[index]; }

  // The first class, paged or small, whose blocks take `bytes`; kNone when there is none.
  constexpr uint32_t fitting(size_t bytes, bool paged) const {
    const bool small = !paged && bytes <= kMaxSmallSlot;
    uint32_t first = small ? 0 : small_count_;
    uint32_t end = small ? small_count_ : count_;
    if (bytes > classes_[end - 1].block_bytes) {
      return kNone;
    }
    while (first < end) {
      const uint32_t middle = first + (end - first) / 2;
      if (classes_[middle].block_bytes < bytes) {
        first = middle + 1;
      } else {
        end = middle;
      }
    }
    return first;
  }

 private:
  // The sizes are multiples of `unit`.
  static constexpr size_t next(size_t size, size_t unit) {
    const size_t step = (std::bit_floor(size) >> kStepBits);
    return size + (step > unit ? step : unit);
  }

  SlotClass classes_[kMaxSlotClasses];
  uint32_t count_ = 0;
  uint32_t small_count_ = 0;
};

}  // namespace spillway::guard
