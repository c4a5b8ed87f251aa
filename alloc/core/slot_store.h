// SPDX-License-Identifier: MIT
// A pool's memory: each class has a span of the arena for itself, cut into so many slots as the
// pool's configuration allows. Lock-free; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "alloc/base/index.h"
#include "alloc/core/arena.h"
#include "alloc/core/central.h"
#include "alloc/stats/statistics.h"

namespace spillway::core {

class SlotStore {
 public:
  using Arena = core::Arena;
  struct Config {
    std::span<const uint32_t> block_sizes;  // multiples of a granule, ascending
    size_t max_span_bytes;                  // see Arena::reserve()
    size_t min_span_bytes;
    unsigned granule_shift = kGranuleShift;
    uint32_t max_slots = UINT32_MAX;  // in each class, if the span has room for more
  };

  // False when the kernel gives no arena: nothing is held then, and the arena owns no address.
  bool start(const Config& config);
  void stop();

  const Arena& arena() const { return arena_; }
  Arena& arena() { return arena_; }
  Central& central(ClassIndex index) { return centrals_[raw(index)]; }
  const Central& central(ClassIndex index) const { return centrals_[raw(index)]; }

  // See PageHeap.
  uint32_t take(ClassIndex index, uint32_t& hint, void** out, uint32_t wanted);
  [[nodiscard]] void* put(ClassIndex index, uint32_t& hint, void* const* blocks, uint32_t count) {
    return central(index).put(hint, blocks, count);
  }
  uint32_t start_hint(ClassIndex index, uint32_t newcomer) const {
    return central(index).start_hint(newcomer);
  }

  // One step for class `index`, see Central.
  uint64_t purge(ClassIndex index, uint32_t& cursor, uint64_t max_bytes, bool& refused) {
    return central(index).purge(cursor, max_bytes, refused);
  }
  // Pools have no budget that depends on it.
  static uint64_t size_bytes() { return 0; }
  void recover_after_fork(bool purge_was_ours);
  uint64_t metadata_bytes() const { return freelist_bytes_; }
  void collect(stats::Snapshot& snapshot) const;

  // The start of the block that a granule, perhaps from its middle, belongs to.
  void* block_of(Granule granule) const {
    const Central& owner = central(arena_.class_of(granule));
    return owner.block_of(owner.slot_of(granule));
  }

 private:
  Arena arena_;  // first: read on every return
  Central centrals_[kMaxClasses];
  uint32_t class_count_ = 0;
  uint32_t block_sizes_[kMaxClasses] = {};
  void* freelist_memory_ = nullptr;
  size_t freelist_bytes_ = 0;
};

}  // namespace spillway::core
