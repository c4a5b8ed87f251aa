// A set of size classes with everything that moves their blocks: one for the process heap, one per
// buffer pool. This header's functions are the slow paths; the fast ones are in bin.h.
//
// The life of a block; it is in exactly one of these places. `put` releases, `take` acquires.
//
//             growth               refill                pop
//   untouched -----> thread's run ------+--> thread cache ----> live
//   (clean)                |     refill |    |        <----      |
//                 thread's |            |    | spill      push   |
//                     end  v            |    v                   |
//                        clean ---------+   warm <---------------+ without a cache, or in a signal
//                          ^            |    |
//                          |  purge     |    | cool
//                          +-----------cool<-+
//
// No lock, no allocation. Any thread; each passes its own anchor.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "alloc/base/attributes.h"
#include "alloc/base/index.h"
#include "alloc/core/arena.h"
#include "alloc/core/bin.h"
#include "alloc/core/cache_budget.h"
#include "alloc/core/central.h"
#include "alloc/core/geometry.h"
#include "alloc/core/large_blocks.h"
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
    Layout layout;
    ArenaUnits units;
    uint32_t large_spans;   // for blocks above the largest class; may be 0
    uint32_t most_threads;  // with a cache of their own; others go to the freelists
    CacheBudget::Config cache_budget;
    DoubleFreeHandler on_double_free;
  };

  constexpr Engine() = default;

  // Reserves everything. False when the kernel gives no arena: nothing is held then, owns() is
  // false for every pointer, and nothing else may be called. Call once.
  bool start(const Config& config);
  // For tests and pools: unmaps all. No block in use, no thread attached.
  void stop();

  const Arena& arena() const { return arena_; }
  Arena& arena() { return arena_; }
  const Geometry& geometry() const { return geometry_; }

  // A block for the caller, whose state byte still tells whether it is clean; null when the class
  // is full. For use after Bin::pop() failed. Cost: one batch from the freelist.
  void* take(ThreadAnchor& anchor, ClassIndex index);
  // A block back, its state byte already kFree, or kClean for one never handed out. For use after
  // Bin::push() failed. Returns the bytes that went to the freelist.
  uint64_t give(ThreadAnchor& anchor, ClassIndex index, void* block);

  // Gives the thread a cache if it has none yet; false when none can be had (it then works
  // without).
  bool attach(ThreadAnchor& anchor);
  // Flushes and returns the thread's cache; the thread works on without one. Waits for nothing but
  // a borrower that is at work on the anchor at this moment, ten seconds at most.
  void detach(ThreadAnchor& anchor);
  // Moves all blocks of the thread's cache to the freelists. Waits for a borrower, a second at
  // most.
  void flush(ThreadAnchor& anchor);
  // Whether each of the thread's calls is to come here although its cache could serve it: some ten
  // nanoseconds more a call.
  void meter(ThreadAnchor& anchor, bool metered);

  // From now on until detach(), which the thread is sure to call, others may borrow its cache.
  void allow_borrowing(ThreadAnchor& anchor);
  // ThreadCache::relax() for the caches of all threads that allow it, each at a moment when its
  // thread is not at work on it. A thread that comes for its cache meanwhile works without. Where
  // the kernel has no membarrier, nothing happens. Not for two callers at a time; a few
  // microseconds for each cache that holds anything. Returns the bytes that those caches hold now.
  uint64_t relax_caches();

  // Cooling and purging, class by class; see Central.
  void cool();
  // One step for class `index`.
  uint64_t purge(ClassIndex index, uint32_t& cursor, uint64_t most_bytes, bool& refused) {
    return central(index).purge(cursor, most_bytes, refused);
  }
  LargeBlocks& large() { return large_; }
  const LargeBlocks& large() const { return large_; }
  // Whether a granule of the arena belongs to large blocks; no class's functions are for it then.
  bool is_large(Granule granule) const {
    return large_.owns_span(arena_.span_at(size_t{raw(granule)} << arena_.granule_shift()));
  }

  // Gives back address space that was reserved and never used, all but the side table's: the heap
  // grows no more, and what it can't serve is the fallback's. For a process that limits its own.
  void give_up_untouched();

  const Central& class_at(ClassIndex index) const { return central(index); }
  // Whether so many bytes are free and have memory, in freelists or large slots, or may be so in
  // caches. Costs little where much less is free.
  bool free_bytes_reach(uint64_t bytes);
  // Bytes that left freelists and growth for caches and the program, since the start.
  uint64_t taken_bytes() const;
  uint64_t grown_bytes() const { return pool_size_.bytes(); }
  void note_with_memory(uint64_t bytes) { pool_size_.note_with_memory(bytes); }
  FreshBytes& fresh_bytes() { return fresh_; }
  // Bytes of blocks that have memory, free or not; `purged` is what was given back of pooled ones.
  uint64_t held_bytes(uint64_t purged) const {
    const uint64_t pooled = fresh_.total();
    const uint64_t large = large_.touched_bytes();
    const uint64_t large_purged = large_.purged_bytes();
    return (pooled > purged ? pooled - purged : 0) +
           (large > large_purged ? large - large_purged : 0);
  }

  // In a forked child: takes back the caches of threads that did not come along, and what the purge
  // of such a thread had in hand (`purge_was_ours`: the survivor's own goes on). Blocks that such a
  // thread was moving between bin and freelist at the moment of the fork stay lost to the child.
  void recover_after_fork(ThreadAnchor& survivor, bool purge_was_ours);

  // Whether a granule of the arena is in a slot: not in front of a class's first one (Arena::
  // first_granule()), nor behind the last. The next three are for such granules.
  bool has_slot(Granule granule) const {
    return is_large(granule) || central(arena_.class_of(granule)).has_slot(granule);
  }
  // The first granule of the slot that a granule, perhaps from its middle, belongs to, and where
  // the slot's block starts.
  Granule slot_start(Granule granule) const {
    if (is_large(granule)) {
      return large_.slot_start(granule);
    }
    const Central& owner = central(arena_.class_of(granule));
    return owner.granule_of(owner.slot_of(granule));
  }
  // Whether the slot that starts there was ever handed out, or is in a thread's run.
  bool was_used(Granule slot) const {
    if (is_large(slot)) {
      return large_.was_used(slot);
    }
    const Central& owner = central(arena_.class_of(slot));
    return raw(owner.slot_of(slot)) < owner.grown();
  }
  void* block_of(Granule granule) const {
    if (is_large(granule)) {
      return large_.block_of(granule);
    }
    const Central& owner = central(arena_.class_of(granule));
    return owner.block_of(owner.slot_of(granule));
  }

  // Fills in what the engine knows. Reads one bin per class and thread; no lock.
  void collect(stats::Snapshot& snapshot) const;

 private:
  // The cache that the thread may use now, or null.
  ThreadCache* usable_cache(const ThreadAnchor& anchor) const;
  // Its cache even while it is lent.
  ThreadCache* own_cache(const ThreadAnchor& anchor) const {
    const uint16_t number = anchor.cache_number.get();
    return number != 0 ? &registry_.at(number - 1U) : nullptr;
  }
  void* take_from(ThreadCache& cache, ClassIndex index);
  SPILLWAY_NOINLINE void* take_when_back(ThreadAnchor& anchor, ClassIndex index);
  void* take_uncached(ClassIndex index);

  Central& central(ClassIndex index) { return centrals_[raw(index)]; }
  const Central& central(ClassIndex index) const { return centrals_[raw(index)]; }
  CacheNeighbours neighbours() {
    return {geometry_, centrals_, budget_, fresh_, pool_size_, registry_.in_use(), on_double_free_};
  }
  bool reserve_freelists(uint32_t large_spans);
  enum class Borrowed : uint8_t { kYes, kBusy, kNever };
  Borrowed borrow(ThreadCache& cache);
  void return_borrowed(ThreadCache& cache);
  static void give_anchor_back(ThreadCache& cache);
  void release_cache(ThreadCache& cache);

  Arena arena_;  // first: read on every free()
  Geometry geometry_;
  Central centrals_[kMaxClasses];
  LargeBlocks large_;
  PoolSize pool_size_;
  CacheBudget budget_;
  FreshBytes fresh_;
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
