// A set of size classes with everything that moves their blocks: one for the process heap, one per
// buffer pool. This header's functions are the slow paths; the fast ones are in bin.h.
//
// The life of a block; it is in exactly one of these places. `put` releases, `take` acquires.
//
//             growth               refill                pop
//   untouched -----> thread's run ------+--> thread cache ----> live
//   (clean)                |     refill |    |        <----      |
//                thread's  |            |    | spill      push   |
//                end       v            |    v                   |
//                         freelist -----+  freelist <------------+ without a cache, or in a signal
//
// No lock, no allocation. Any thread; each passes its own anchor.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "alloc/base/index.h"
#include "alloc/core/arena.h"
#include "alloc/core/bin.h"
#include "alloc/core/cache_budget.h"
#include "alloc/core/central.h"
#include "alloc/core/geometry.h"
#include "alloc/core/pool_size.h"
#include "alloc/core/registry.h"
#include "alloc/core/thread_cache.h"
#include "alloc/stats/statistics.h"

namespace spillway::core {

class Engine {
 public:
  struct Config {
    std::span<const uint32_t> block_sizes;  // see make_geometry()
    size_t most_span_bytes;                 // see Arena::reserve()
    size_t least_span_bytes;
    uint32_t most_threads;  // with a cache of their own; others go to the freelists
    int64_t cache_budget;   // bytes or CacheBudget::kAdaptive
    DoubleFreeHandler on_double_free;
  };

  constexpr Engine() = default;

  // Reserves everything. False when the kernel gives no arena: nothing is held then, owns() is
  // false for every pointer, and nothing else may be called. Call once.
  bool start(const Config& config);
  // For tests and pools: unmaps all. No block in use, no thread attached.
  void stop();

  const Arena& arena() const { return arena_; }
  const Geometry& geometry() const { return geometry_; }

  // A block for the caller, whose state byte still tells whether it is clean; kNoGranule when the
  // class is full. For use after Bin::pop() failed. Cost: one batch from the freelist.
  Granule take(ThreadAnchor& anchor, ClassIndex index);
  // A block back, its state byte already kFree. For use after Bin::push() failed.
  void give(ThreadAnchor& anchor, ClassIndex index, Granule block);

  // Gives the thread a cache if it has none yet; false when none can be had (it then works
  // without).
  bool attach(ThreadAnchor& anchor);
  // Flushes and returns the thread's cache; the thread works on without one.
  void detach(ThreadAnchor& anchor);
  // Moves all blocks of the thread's cache to the freelists.
  void flush(ThreadAnchor& anchor);

  // In a forked child: takes back the caches of threads that did not come along. Blocks that such a
  // thread was moving between bin and freelist at the moment of the fork stay lost to the child.
  void recover_after_fork(const ThreadAnchor& survivor);

  // The block that a granule, perhaps from a block's middle, belongs to.
  Granule block_of(Granule granule) const {
    return central(arena_.class_of(granule)).block_of(granule);
  }

  // Fills in what the engine knows. Reads one bin per class and thread; no lock.
  void collect(stats::Snapshot& snapshot) const;

 private:
  // A thread's cache, or null for the two constant ones.
  static ThreadCache* cache_of(const ThreadAnchor& anchor);

  Central& central(ClassIndex index) { return centrals_[raw(index)]; }
  const Central& central(ClassIndex index) const { return centrals_[raw(index)]; }
  CacheNeighbours neighbours() { return {geometry_, centrals_, budget_, on_double_free_}; }
  bool reserve_freelists();

  Arena arena_;  // first: read on every free()
  Geometry geometry_;
  Central centrals_[kMaxClasses];
  PoolSize pool_size_;
  CacheBudget budget_;
  Registry registry_;
  DoubleFreeHandler on_double_free_{};
  void* freelist_memory_ = nullptr;
  size_t freelist_bytes_ = 0;

  // Blocks that moved without a cache.
  struct Uncached {
    std::atomic<uint64_t> taken{0};
    std::atomic<uint64_t> given{0};
  };
  Uncached uncached_[kMaxClasses];
};

}  // namespace spillway::core
