// Which thread works in which part of a class. A group is the slots whose state bytes share a cache
// line: while its blocks belong to one thread, malloc and free write lines that no other core has.
// Without it two threads that refill from one freelist soon hold neighbouring blocks, and each call
// fetches a line (bench_threads, replace/256/4K-1M/2t: 29 ns instead of 8).
//
// A hint, no ownership: any thread may take any slot, and does when nothing else is free.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"

namespace spillway::core {

// Tells the threads of an engine apart.
using Holder = uint16_t;
inline constexpr Holder kNobody = 0;

// The slots of a class in groups: slot n's state byte is byte n * stride of the class's, so that a
// word of 64 slots covers `stride` whole lines.
class GroupLayout {
 public:
  static constexpr uint32_t kStatesPerLine = 64;
  static constexpr uint32_t kSlotsPerWord = 64;

  constexpr GroupLayout() = default;
  constexpr explicit GroupLayout(uint32_t stride) : stride_(stride), by_stride_(stride) {}

  // With a line or more to each slot nobody meets anybody.
  constexpr bool matters() const { return stride_ < kStatesPerLine; }
  constexpr uint32_t group_of(uint32_t slot) const { return slot * stride_ / kStatesPerLine; }
  constexpr uint32_t first_slot(uint32_t group) const {
    return by_stride_.divide(group * kStatesPerLine + stride_ - 1);
  }
  constexpr uint32_t groups_per_word() const { return stride_; }
  // The bits of a group, counted within its word.
  constexpr uint64_t bits(uint32_t group) const {
    return low_bits(first_slot(group + 1)) & ~low_bits(first_slot(group));
  }

 private:
  uint32_t stride_ = 0;
  Divider by_stride_;
};

class Groups {
 public:
  static size_t bytes_needed(const GroupLayout& layout, uint32_t slots) {
    return layout.matters() ? divide_up(slots, GroupLayout::kSlotsPerWord) *
                                  layout.groups_per_word() * sizeof(Cell)
                            : 0;
  }
  // `memory` is zero, aligned to 2, and stays for the object's life.
  void attach(void* memory, const GroupLayout& layout) {
    holders_ = static_cast<Cell*>(memory);
    layout_ = layout;
  }

  // Of the free slots `seen` in a word of the freelist: those that `holder` can take and meet
  // nobody, because the group is its own or wholly free.
  uint64_t private_part(uint32_t word, uint64_t seen, Holder holder) const {
    if (!layout_.matters()) {
      return seen;
    }
    uint64_t result = 0;
    for (uint64_t rest = seen; rest != 0;) {
      const uint32_t group = layout_.group_of(static_cast<uint32_t>(std::countr_zero(rest)));
      const uint64_t bits = layout_.bits(group);
      rest &= ~bits;
      if ((seen & bits) == bits || cell(word, group).load(std::memory_order_relaxed) == holder) {
        result |= seen & bits;
      }
    }
    return result;
  }

  // `holder` has taken these slots of a word.
  void settle(uint32_t word, uint64_t slots, Holder holder) {
    while (layout_.matters() && slots != 0) {
      const uint32_t group = layout_.group_of(static_cast<uint32_t>(std::countr_zero(slots)));
      slots &= ~layout_.bits(group);
      // relaxed, here and above: a hint.
      if (cell(word, group).load(std::memory_order_relaxed) != holder) {
        cell(word, group).store(holder, std::memory_order_relaxed);
      }
    }
  }

  // The same for `count` slots from `first` on.
  void settle_run(SlotIndex first, uint32_t count, Holder holder) {
    for (uint32_t slot = raw(first); slot < raw(first) + count; ++slot) {
      settle(slot / GroupLayout::kSlotsPerWord, uint64_t{1} << (slot % GroupLayout::kSlotsPerWord),
             holder);
    }
  }

 private:
  using Cell = std::atomic<Holder>;

  Cell& cell(uint32_t word, uint32_t group) const {
    return holders_[word * layout_.groups_per_word() + group];
  }

  Cell* holders_ = nullptr;
  GroupLayout layout_;
};

}  // namespace spillway::core
