// One class of an engine: its freelist, and growth when that is empty. The place where granules, by
// which threads know blocks, become slots and back. Lock-free; any thread may call any member.
#pragma once

#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/core/arena.h"
#include "alloc/core/freelist.h"
#include "alloc/core/geometry.h"
#include "alloc/core/growth.h"

namespace spillway::core {

class Central {
 public:
  // Blocks moved per call, at most.
  static constexpr uint32_t kMostBatch = 256;

  // `freelist_memory` as for Freelist::attach().
  void attach(Arena& arena, ClassIndex index, const ClassGeometry& geometry, PoolSize& pool_size,
              void* freelist_memory);

  // A run of neighbouring untouched blocks that one thread hands out by itself, in address order.
  // Untouched blocks cost no memory, so a run counts as free until its blocks are taken from it.
  struct Run {
    SlotIndex next{0};
    uint32_t left = 0;
  };

  // Moves up to `wanted` (at most kMostBatch) free blocks to `out`: from the freelist, and only
  // when that has none, untouched ones from `run`, which is refilled as needed. 0: the class is
  // full. `hint`: see Freelist::take().
  uint32_t take(uint32_t& hint, Run& run, Granule* out, uint32_t wanted);
  // Gives what is left of a run to the freelist.
  void put_run(uint32_t& hint, Run& run);

  // Gives blocks (at most kMostBatch) to the freelist. Returns one that was there already, a block
  // freed twice at the same time, or kNoGranule.
  [[nodiscard]] Granule put(uint32_t& hint, const Granule* blocks, uint32_t count);

  bool is_free(Granule block) const { return freelist_.contains(slot_of(block)); }
  // Blocks taken into use so far, those in runs included.
  uint32_t grown() const { return growth_.taken(); }
  uint32_t committed() const { return growth_.committed(); }
  uint32_t count_free() const { return freelist_.count(growth_.taken()); }

  // A word of the freelist for a newcomer to start at: neighbours in number get distant ones.
  uint32_t start_hint(uint32_t newcomer) const;

  // The block that a granule of this class belongs to.
  Granule block_of(Granule granule) const { return granule_of(slot_of(granule)); }

 private:
  SlotIndex slot_of(Granule granule) const {
    return SlotIndex{geometry_->by_stride.divide(raw(granule) - first_granule_)};
  }
  Granule granule_of(SlotIndex slot) const {
    return Granule{first_granule_ + raw(slot) * geometry_->stride_granules};
  }

  const ClassGeometry* geometry_ = nullptr;
  uint32_t first_granule_ = 0;
  Freelist freelist_;
  Growth growth_;
};

}  // namespace spillway::core
