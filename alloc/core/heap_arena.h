// SPDX-License-Identifier: MIT
// The process heap's address range and its side table: two bytes a page of 4 KiB, kept outside the
// blocks, so that free() finds where a block is and of which kind with one shift and one cache
// line. No block is shorter than a page, so that at most one begins in each.
//
//   base                 frontier                          wide area
//   | chunk | chunk | ... |  not yet used  ................ | slot | slot | slot |
//
// Reading the entry of a page that was never committed is allowed and gives a clean one of no kind.
// Thread-safe once reserved; no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/core/slot_state.h"
#include "alloc/core/tabled_range.h"

namespace spillway::core {

// Of the block that begins in a page.
struct PageEntry {
  StateByte state;
  // The block's class; kNoClass for blocks above the largest class, whose length is in the kinds
  // of the pages behind their first one (page_heap.h).
  std::atomic<uint8_t> kind;

  // relaxed, both: as the state.
  ClassIndex class_index() const { return ClassIndex{kind.load(std::memory_order_relaxed)}; }
  void set_class(ClassIndex index) { kind.store(raw(index), std::memory_order_relaxed); }
};
static_assert(sizeof(PageEntry) == 2);

class HeapArena : public TabledRange<PageEntry> {
 public:
  // See reserve_with_table().
  bool reserve(size_t max_bytes, size_t min_bytes) {
    return reserve_with_table(max_bytes, min_bytes);
  }

  // For offsets inside the arena.
  PageEntry& entry_at(size_t offset) const { return entry_numbered(offset >> kGranuleShift); }
  StateByte& state_at(size_t offset) const { return entry_at(offset).state; }
  StateByte& state(Granule page) const { return entry(page).state; }
};

}  // namespace spillway::core
