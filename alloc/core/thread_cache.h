// A thread's cache: its bins, and when they grow, shrink and exchange blocks with the freelists.
//
// Cached blocks are memory, and a miss costs some fifteen nanoseconds: a thread that uses its
// blocks, and so asks for them less often than every hundred, spends little time on misses and
// caches some small blocks only. For a busier one a bin grows when it is missed in both directions
// (empty now, full before: a larger one would have served both), and to a smaller bound when blocks
// only pass through, which makes batches pay. It shrinks when nothing touched it while its thread
// missed elsewhere. Growth is paid from the engine's CacheBudget.
//
// One thread owns a cache at a time and is the only caller, with the anchor busy, or who borrowed
// it (Engine::relax_caches()), or a forked child for threads that are gone; statistics may be read
// by others at any time. Blocks are never touched.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/core/bin.h"
#include "alloc/core/cache_budget.h"
#include "alloc/core/central.h"
#include "alloc/core/fresh_bytes.h"
#include "alloc/core/geometry.h"
#include "alloc/core/pace.h"

namespace spillway::core {

// Told about a block that was free already when it reached its freelist: two threads freed it at
// the same time, each before it could see the other.
struct DoubleFreeHandler {
  void (*call)(void* owner, void* block);
  void* owner;
};

// What the caches of an engine have in common.
struct CacheNeighbours {
  const Geometry& geometry;
  Central* centrals;  // by class index
  CacheBudget& budget;
  FreshBytes& fresh;
  const PoolSize& pool_size;
  uint32_t caches_in_use;  // a momentary number
  DoubleFreeHandler on_double_free;

  Central& central(ClassIndex index) const { return centrals[raw(index)]; }
  Pace::Company company() const { return {pool_size.bytes(), caches_in_use}; }
  // Central::put() with its complaint heard.
  void put(ClassIndex index, Central::Client& client, void* const* blocks, uint32_t count) const;
};

class ThreadCache : public BinTable {
 public:
  static size_t bytes_needed(const Geometry& geometry);

  // In zeroed memory of bytes_needed(), once; `number` tells caches apart.
  void start(uint32_t number, const Geometry& geometry);

  // The bin of the class is empty: fetches half a bin of blocks and returns one of them; just one
  // while the bin has no capacity. Rather than a block without memory it returns a somewhat larger
  // one that has some and leaves the bin empty, unless the thread does next to nothing but allocate
  // and free (Pace::is_pressed) and new memory is welcome. Null: the class is full.
  void* refill(ClassIndex index, const CacheNeighbours& neighbours);

  // The bin of the class is full: keeps `block` after growing or giving the oldest half away; gives
  // `block` itself to the freelist while the bin has no capacity. Returns how many blocks went to
  // the freelist.
  uint32_t spill(ClassIndex index, void* block, const CacheNeighbours& neighbours);

  // Gives every block and all claimed capacity back; the cache stays usable.
  void flush(const CacheNeighbours& neighbours);

  // For whoever looks after all caches at intervals, one at a time. Whether this one is worth
  // borrowing: its thread did nothing since the last look and it holds something, or is slow now
  // and it holds much. Needs no lease.
  bool needs_relaxing(const CacheNeighbours& neighbours, uint64_t now_ns);
  // Whether it has room, and so perhaps blocks.
  bool holds_anything(const Geometry& geometry) const;
  // Bytes of the blocks in it; a momentary answer for others than its owner.
  uint64_t bytes(const Geometry& geometry) const;
  // Flushes the cache of a thread that did nothing since the look before; otherwise its bins
  // shrink.
  void relax(const CacheNeighbours& neighbours);

  uint32_t number() const { return number_; }

  // Who may change the bins, and the owner's anchor.
  //
  //   kNone --allow--> kOwned --borrow--> kMoving --> kLent --return--> kMoving --> kOwned
  //                      |                              |
  //                      +-- owner ends --> kNone       +-- owner ends --> kOrphaned
  //
  // kOwned, kNone: the bins are their thread's. kMoving: for some instructions and a membarrier,
  // the borrower writes the owner's anchor, and an owner that ends waits. kLent: the bins are the
  // borrower's, the anchor is the owner's again. kOrphaned: all is the borrower's, who releases it.
  enum class Lease : uint8_t { kNone, kOwned, kMoving, kLent, kOrphaned };
  std::atomic<Lease> lease{Lease::kNone};
  // The owner's anchor, while it may be borrowed from.
  OwnedCell<ThreadAnchor*> anchor;
  // Engine::meter().
  OwnedCell<bool> metered;

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
    Central::Client client{.hint = kNoHint, .run = {}};
    uint32_t capacity = 0;  // limit - bottom
    Miss last_miss = Miss::kNone;
    bool was_idle = false;
    void** seen_top = nullptr;  // at the last aging
    uint64_t seen_allocations = 0;
  };

  // A class, as a miss finds it.
  struct Source {
    Central& central;
    Policy& policy;
    FreshBytes& fresh;
    bool apart;  // the thread would rather have new blocks than free ones among those of others
  };
  Source source_of(ClassIndex index, const CacheNeighbours& neighbours);
  // Free blocks to `out`, and how many: those that have memory, unless the thread would rather keep
  // apart; those that will cost memory, or any if there are none.
  static uint32_t take_with_memory(const Source& source, void** out, uint32_t wanted);
  static uint32_t take_without_memory(const Source& source, void** out, uint32_t wanted);
  static uint32_t take_batches(const Source& source, void** out, uint32_t wanted);
  void* take_one(ClassIndex index, const CacheNeighbours& neighbours);
  // A block that has memory, of a class that is larger, but not too large: this thread's, or free.
  // `roomy`: where there is no memory to spare, much larger ones and the largest first.
  void* take_larger(ClassIndex index, bool roomy, const CacheNeighbours& neighbours);
  // A much larger one that has none, or null.
  void* take_roomy(ClassIndex index, const CacheNeighbours& neighbours);
  ClassIndex largest_substitute(ClassIndex index, bool roomy,
                                const CacheNeighbours& neighbours) const;
  void* take_cached_or_free(ClassIndex index, const CacheNeighbours& neighbours);
  void on_miss(ClassIndex index, Miss miss, const CacheNeighbours& neighbours);
  void consider_growth(ClassIndex index, Miss miss, const CacheNeighbours& neighbours);
  uint32_t wanted_capacity(const Policy& policy, const ClassGeometry& geometry,
                           bool missed_both_ways) const;
  void set_capacity(ClassIndex index, uint32_t capacity);
  void give_oldest(ClassIndex index, uint32_t count, const CacheNeighbours& neighbours);
  void age(const CacheNeighbours& neighbours);
  void shrink(ClassIndex index, uint32_t capacity, const CacheNeighbours& neighbours);
  // Allocated here, or freed here and passed on.
  uint64_t blocks_moved(const Geometry& geometry) const;

  uint32_t number_ = 0;
  OwnedCell<uint32_t> misses_;
  Pace pace_;
  // Of the look before; only for those two.
  uint64_t relaxed_at_ns_ = 0;
  uint64_t relaxed_moved_ = 0;
  uint32_t relaxed_misses_ = 0;
  bool slept_ = false;
  Policy policies_[kMaxClasses];
  // The stacks of all classes follow the object in memory.
};

}  // namespace spillway::core
