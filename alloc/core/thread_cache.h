// A thread's cache: its bins, and when they grow, shrink and exchange blocks with the freelists.
//
// A bin starts with a few blocks. It grows when it is missed in both directions (empty now, full
// before: a larger one would have served both), and to a smaller bound when blocks only pass
// through, which makes batches pay. It shrinks when nothing touched it while its thread missed
// elsewhere; a thread that sleeps keeps what it has. Growth is paid from the engine's CacheBudget.
//
// One thread owns a cache at a time and is the only caller, with the anchor busy (or a forked
// child, for threads that are gone); statistics may be read by others at any time. Blocks are never
// touched.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/core/bin.h"
#include "alloc/core/cache_budget.h"
#include "alloc/core/central.h"
#include "alloc/core/geometry.h"

namespace spillway::core {

// Told about a block that was free already when it reached its freelist: two threads freed it at
// the same time, each before it could see the other.
struct DoubleFreeHandler {
  void (*call)(void* owner, Granule block);
  void* owner;
};

// What the caches of an engine have in common.
struct CacheNeighbours {
  const Geometry& geometry;
  Central* centrals;  // by class index
  CacheBudget& budget;
  DoubleFreeHandler on_double_free;

  Central& central(ClassIndex index) const { return centrals[raw(index)]; }
  // Central::put() with its complaint heard.
  void put(ClassIndex index, uint32_t& hint, const Granule* blocks, uint32_t count) const;
};

class ThreadCache : public BinTable {
 public:
  static size_t bytes_needed(const Geometry& geometry);

  // In zeroed memory of bytes_needed(), once; `number` tells caches apart.
  void start(uint32_t number, const Geometry& geometry);

  // The bin of the class is empty: fetches half a bin of blocks and returns one of them; just one
  // while the bin has no capacity. kNoGranule: the class is full.
  Granule refill(ClassIndex index, const CacheNeighbours& neighbours);

  // The bin of the class is full: keeps `block` after growing or giving the oldest half away; gives
  // `block` itself to the freelist while the bin has no capacity.
  void spill(ClassIndex index, Granule block, const CacheNeighbours& neighbours);

  // Gives every block and all claimed capacity back; the cache stays usable.
  void flush(const CacheNeighbours& neighbours);

  uint32_t number() const { return number_; }

  struct Traffic {
    OwnedCell<uint64_t> blocks_in;   // from the freelist or growth
    OwnedCell<uint64_t> blocks_out;  // to the freelist
    OwnedCell<uint64_t> refills;
    OwnedCell<uint64_t> spills;
  };
  const Traffic& traffic(ClassIndex index) const { return policies_[raw(index)].traffic; }

 private:
  enum class Miss : uint8_t { kNone, kEmpty, kFull };

  static constexpr uint32_t kNoHint = UINT32_MAX;

  struct Policy {
    Traffic traffic;
    uint32_t hint = kNoHint;  // the freelist word to try first
    Central::Run run;         // untouched blocks of this thread's own
    uint32_t capacity = 0;    // limit - bottom
    Miss last_miss = Miss::kNone;
    bool was_idle = false;
    Granule* seen_top = nullptr;  // at the last aging
    uint64_t seen_allocations = 0;
  };

  void consider_growth(ClassIndex index, Miss miss, const CacheNeighbours& neighbours);
  void set_capacity(ClassIndex index, uint32_t capacity);
  void give_oldest(ClassIndex index, uint32_t count, const CacheNeighbours& neighbours);
  void age_sometimes(const CacheNeighbours& neighbours);
  void shrink(ClassIndex index, uint32_t capacity, const CacheNeighbours& neighbours);

  uint32_t number_ = 0;
  uint32_t misses_ = 0;
  Policy policies_[kMaxClasses];
  // The stacks of all classes follow the object in memory.
};

}  // namespace spillway::core
