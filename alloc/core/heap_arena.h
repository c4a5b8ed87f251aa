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
#include "alloc/core/range.h"
#include "alloc/core/slot_state.h"

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

class HeapArena : public Range {
 public:
  constexpr HeapArena() : Range(kGranuleShift) {}

  // Reserves `most_bytes`, or half, a quarter, ... of it when the kernel refuses or RLIMIT_AS would
  // be used up, but no less than `least_bytes`; multiples of kAlignment. False: nothing is reserved
  // and the arena owns no address.
  bool reserve(size_t most_bytes, size_t least_bytes);
  void release();

  // For offsets inside the arena.
  PageEntry& entry_at(size_t offset) const { return entries_[offset >> kGranuleShift]; }
  StateByte& state_at(size_t offset) const { return entry_at(offset).state; }
  PageEntry& entry(Granule page) const { return entries_[raw(page)]; }
  StateByte& state(Granule page) const { return entry(page).state; }

  // Makes pages and their entries usable. Repeating it is harmless. Four system calls.
  [[nodiscard]] bool commit(Granule first, size_t pages);

 private:
  PageEntry* entries_ = nullptr;
};

}  // namespace spillway::core
