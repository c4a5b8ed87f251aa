// SPDX-License-Identifier: MIT
#include "alloc/core/page_heap.h"

#include <algorithm>
#include <cstring>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

// A block's length in kinds: one byte each.
constexpr uint32_t kLengthBytes = 4;

}  // namespace

void* PageHeap::take_large(size_t size, size_t alignment) {
  if (size > max_run_bytes_ || alignment > kChunkSize) {
    return nullptr;
  }
  const bool coloured = alignment == 1;
  const uint32_t grains = large_grains_for(size, coloured);
  const auto aligned = static_cast<uint32_t>(std::max(alignment >> kGrainShift, size_t{1}));
  uint32_t count = 0;
  const uint32_t grain = take_run(grains, aligned, 1, count);
  return grain != kNoGrain ? hand_out_large(grain, grains, coloured) : nullptr;
}

void* PageHeap::take_with_room(size_t size) {
  if (size > max_run_bytes_ / kRoomToGrow) {
    return nullptr;
  }
  const uint32_t grains = large_grains_for(size, true);
  const uint32_t grain = take_part_of_run(grains, kRoomToGrow * grains);
  return grain != kNoGrain ? hand_out_large(grain, grains, true) : nullptr;
}

uint32_t PageHeap::large_grains_for(size_t size, bool coloured) {
  return static_cast<uint32_t>(divide_up(size, kGrainSize)) + (coloured ? kLargeSlack : 0);
}

void* PageHeap::hand_out_large(uint32_t grain, uint32_t grains, bool coloured) {
  // relaxed: a count. release: after it, for collect(), which acquires.
  large_blocks_.fetch_add(1, std::memory_order_relaxed);
  const uint64_t number = large_allocations_.fetch_add(1, std::memory_order_release);
  size_t offset = offset_of(grain);
  uint32_t own = grains;
  if (coloured) {
    // The grains in front of the block's first one are free again.
    constexpr size_t kLines = kGranuleSize / kLineSize;
    const size_t colour = number * 5 % kLines * kLineSize;
    offset += colour;
    const auto in_front = static_cast<uint32_t>(colour >> kGrainShift);
    if (in_front != 0) {
      static_cast<void>(give(grain, in_front, false));
      own -= in_front;
    }
  }
  note_reused(note_taken(grain + grains - own, own));
  set_large_grains(offset, own);
  large_grains_.fetch_add(own, std::memory_order_relaxed);
  large_taken_.fetch_add(own, std::memory_order_relaxed);
  PageEntry& entry = arena_.entry_at(offset);
  entry.set_class(kNoClass);
  entry.state.store(SlotState::kFree);
  return arena_.at(offset);
}

bool PageHeap::give_large(void* block) {
  const size_t offset = arena_.offset(block);
  const uint32_t grains = large_grains(offset);
  set_large_grains(offset, 0);  // a second time there is no length
  if (grains == 0 || !give(grain_at(offset), grains, true)) {
    return false;
  }
  // relaxed: counts.
  large_blocks_.fetch_sub(1, std::memory_order_relaxed);
  large_grains_.fetch_sub(grains, std::memory_order_relaxed);
  return true;
}

void PageHeap::clear(void* block, size_t size) {
  const size_t start = arena_.offset(block);
  for (size_t offset = start; offset < start + size;) {
    const size_t end = std::min(align_up(offset + 1, kGranuleSize), start + size);
    const uint32_t page = static_cast<uint32_t>(offset >> kGranuleShift);
    if (!chunks_[page / Chunk::kPages].is_clean_page(page % Chunk::kPages)) {
      std::memset(arena_.at(offset), 0, end - offset);
    }
    offset = end;
  }
}

uint32_t PageHeap::large_grains(size_t offset) const {
  uint32_t grains = 0;
  for (uint32_t i = 0; i < kLengthBytes; ++i) {
    const PageEntry& entry = arena_.entry_at(offset + (i + 1) * kGranuleSize);
    grains |= uint32_t{raw(entry.class_index())} << (8 * i);
  }
  return grains;
}

void PageHeap::set_large_grains(size_t offset, uint32_t grains) {
  for (uint32_t i = 0; i < kLengthBytes; ++i) {
    PageEntry& entry = arena_.entry_at(offset + (i + 1) * kGranuleSize);
    entry.set_class(ClassIndex{static_cast<uint8_t>(grains >> (8 * i))});
  }
}

bool PageHeap::resize(void* block, ClassIndex index, size_t size) {
  if (index == kNoClass && size > max_run_bytes_) {
    return false;
  }
  const size_t offset = arena_.offset(block);
  PageEntry& entry = arena_.entry_at(offset);
  const ClassIndex before_class = entry.class_index();
  const uint32_t before = grains_of(before_class, offset);
  const uint32_t grains =
      index != kNoClass ? run_[raw(index)]
                        : static_cast<uint32_t>(divide_up(offset % kGrainSize + size, kGrainSize));
  // A line that the class has no room in front for: it was a large block's.
  if (index != kNoClass && offset_of(grains) - offset % kGrainSize < block_size_[raw(index)]) {
    return false;
  }
  const uint32_t grain = grain_at(offset);
  if (grains > before) {
    if (!claim(grain + before, grains - before)) {
      return false;
    }
    note_reused(note_taken(grain + before, grains - before));
  }
  // relaxed, both: counts.
  const uint32_t large_before = before_class == kNoClass ? before : 0;
  const uint32_t large = index == kNoClass ? grains : 0;
  large_grains_.fetch_add(uint64_t{large} - large_before, std::memory_order_relaxed);
  if ((large != 0) != (large_before != 0)) {
    // release: in this order, for collect(), which acquires.
    if (large != 0) {
      large_blocks_.fetch_add(1, std::memory_order_relaxed);
      large_came_.fetch_add(1, std::memory_order_release);
    } else {
      large_went_.fetch_add(1, std::memory_order_relaxed);
      large_blocks_.fetch_sub(1, std::memory_order_release);
    }
  }
  if (large != 0 || large_before != 0) {
    set_large_grains(offset, large);
  }
  entry.set_class(index);
  if (grains < before) {
    static_cast<void>(give(grain + grains, before - grains, true));
  }
  return true;
}

bool PageHeap::find(size_t offset, Found& found) const {
  // No block is longer than this; the pages in front of one have no kind but in its length.
  const size_t lowest =
      offset > max_run_bytes_ + kGranuleSize ? offset - max_run_bytes_ - kGranuleSize : 0;
  for (size_t page = offset >> kGranuleShift;; --page) {
    const PageEntry& entry = arena_.entry(Granule{static_cast<uint32_t>(page)});
    const SlotState state = entry.state.load();
    if (is_live(state)) {
      const size_t start = (page << kGranuleShift) + start_line(state) * kLineSize;
      if (start <= offset) {
        const ClassIndex index = entry.class_index();
        const size_t bytes =
            index != kNoClass ? block_size_[raw(index)] : usable_large(arena_.at(start));
        found = {start, bytes, index};
        return offset - start < bytes;
      }
    }
    if ((page << kGranuleShift) <= lowest) {
      return false;
    }
  }
}

}  // namespace spillway::core
