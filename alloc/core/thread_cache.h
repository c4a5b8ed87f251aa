// SPDX-License-Identifier: MIT
// A thread's cache: its bins, and when they grow, shrink and exchange blocks with the store.
//
// Cached blocks are memory. A thread that uses its blocks (allocation_rate.h) spends little of its
// time on misses and caches some small ones only. A busy one caches a few more, of classes that it
// misses in both directions. For a fast one a bin grows when it is missed in both directions (empty
// now, full before: a larger one would have served both), and to a smaller bound when blocks only
// pass through, which makes batches pay. It shrinks when nothing touched it while its thread missed
// elsewhere. Growth is paid from the engine's CacheBudget.
//
// One thread owns a cache at a time and is the only caller, with the thread state busy; or else its
// drainer (Engine::relax_caches()), or a forked child for threads that are gone. Any thread may
// read statistics. Blocks are never touched.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/core/allocation_rate.h"
#include "alloc/core/bin.h"
#include "alloc/core/cache_budget.h"
#include "alloc/core/geometry.h"

namespace spillway::core {

// Told about a block that was free already when it reached the store: two threads freed it at
// the same time, each before it could see the other.
struct DoubleFreeHandler {
  void (*call)(void* owner, void* block);
  void* owner;
};

// What the caches of an engine have in common. The store is where blocks come from and go to: the
// heap's PageHeap or a pool's SlotStore.
template <typename Store>
struct CacheNeighbours {
  const Geometry& geometry;
  Store& store;
  CacheBudget& budget;
  DoubleFreeHandler on_double_free;
  // Store::put() with its complaint heard.
  void put(ClassIndex index, uint32_t& hint, void* const* blocks, uint32_t count) const {
    void* const duplicate = store.put(index, hint, blocks, count);
    if (duplicate != nullptr) {
      on_double_free.call(on_double_free.owner, duplicate);
    }
  }
};

class ThreadCache : public BinTable {
 public:
  static size_t bytes_needed(const Geometry& geometry);

  // In zeroed memory of bytes_needed(), once; `number` tells caches apart.
  void start(uint32_t number, const Geometry& geometry);

  // The bin of the class is empty: fetches half a bin of blocks and returns one of them; just one
  // while the bin has no capacity. Null: there is none.
  template <typename Store>
  void* refill(ClassIndex index, const CacheNeighbours<Store>& neighbours);

  // The bin of the class is full: keeps `block` after growing or giving the oldest half away; gives
  // `block` itself to the store while the bin has no capacity. Returns how many blocks went to
  // the store.
  template <typename Store>
  uint32_t spill(ClassIndex index, void* block, const CacheNeighbours<Store>& neighbours);

  // Gives every block and all claimed capacity back; the cache stays usable.
  template <typename Store>
  void flush(const CacheNeighbours<Store>& neighbours);

  // For the scavenger, one cache at a time. Whether this one is worth draining: its thread did
  // nothing since the last look and it holds something, or is slow now and it holds much. Needs no
  // claim on it.
  template <typename Store>
  bool needs_relaxing(const CacheNeighbours<Store>& neighbours, uint64_t now_ns);
  // Whether it has room, and so perhaps blocks.
  bool holds_anything() const;
  // Bytes of the blocks in it; a momentary answer for others than its owner.
  uint64_t bytes(const Geometry& geometry) const;
  // Bytes that came from the store, since the start.
  uint64_t taken_bytes(const Geometry& geometry) const;
  // Flushes the cache of a thread that did nothing since the look before; otherwise its bins
  // shrink.
  template <typename Store>
  void relax(const CacheNeighbours<Store>& neighbours);

  uint32_t number() const { return number_; }

  // Which thread may change the bins, and the owner's thread state.
  //
  //   kNone --allow--> kOwned --begin--> kMoving --> kDraining --end--> kMoving --> kOwned
  //                      |                              |
  //                      +-- owner ends --> kNone       +-- owner ends --> kOrphaned
  //
  // kOwned, kNone: the bins are their thread's. kMoving: for some instructions and a membarrier,
  // the drainer, or the thread that meters the owner, writes the owner's thread state, and an owner
  // that ends waits. kDraining: the bins are the drainer's, the thread state is the owner's again.
  // kOrphaned: all is the drainer's to release.
  enum class DrainState : uint8_t { kNone, kOwned, kMoving, kDraining, kOrphaned };
  std::atomic<DrainState> drain_state{DrainState::kNone};
  // The owner's thread state, while it may be drained.
  OwnedCell<ThreadState*> thread_state;
  // Why this thread is metered (Metering, engine.h), beyond what holds for all.
  OwnedCell<uint8_t> metered_for;
  // The tenant that the thread is in; 0: none. Of the heap, and no concern of the engine's.
  OwnedCell<uint8_t> tenant;
  // Bytes up to the heap profile's next sample, drawn at its start of that number. The heap's, too.
  OwnedCell<int64_t> bytes_until_sample;
  OwnedCell<uint32_t> sample_epoch;

  struct Traffic {
    OwnedCell<uint64_t> blocks_in;   // from the store
    OwnedCell<uint64_t> blocks_out;  // to the store
    OwnedCell<uint64_t> refills;
    OwnedCell<uint64_t> refills_refused;  // of these, without a block
    OwnedCell<uint64_t> spills;
    // Requests that came to a refill, and their bytes.
    OwnedCell<uint64_t> requests;
    OwnedCell<uint64_t> requested_bytes;
  };
  const Traffic& traffic(ClassIndex index) const { return policies_[raw(index)].traffic; }
  // The owner's, for statistics.
  void note_request(ClassIndex index, size_t size) {
    Traffic& traffic = policies_[raw(index)].traffic;
    traffic.requests.add(1);
    traffic.requested_bytes.add(size);
  }

  // Blocks that came to the cache and left it, read while its owner works: what was freed and what
  // was a hit are not more than that, and exact while nothing changes.
  struct Moved {
    uint64_t allocations;
    uint64_t cached;
    uint64_t frees;
    uint64_t hits;
    uint64_t in;
    uint64_t out;
  };
  Moved moved(ClassIndex index) const;

  // Visits the classes that were ever missed: no other has a capacity, or blocks. A few of them
  // all in most threads, of which each costs cache lines.
  template <typename Visit>
  void for_each_used(Visit visit) const {
    for (uint32_t word = 0; word < kUsedWords; ++word) {
      for (uint64_t bits = used_[word].get(); bits != 0; bits &= bits - 1) {
        visit(word * kUsedBits + static_cast<uint32_t>(std::countr_zero(bits)));
      }
    }
  }

 private:
  enum class Miss : uint8_t { kNone, kEmpty, kFull };

  static constexpr uint32_t kNoHint = UINT32_MAX;

  struct Policy {
    Traffic traffic;
    uint32_t hint = kNoHint;  // the store's
    uint32_t capacity = 0;    // limit - bottom
    Miss last_miss = Miss::kNone;
    bool was_idle = false;
    void** seen_top = nullptr;  // at the last aging
    uint64_t seen_allocations = 0;
  };

  template <typename Store>
  uint32_t take(ClassIndex index, void** out, uint32_t wanted,
                const CacheNeighbours<Store>& neighbours);
  template <typename Store>
  void on_miss(ClassIndex index, Miss miss, const CacheNeighbours<Store>& neighbours);
  template <typename Store>
  void consider_growth(ClassIndex index, Miss miss, const CacheNeighbours<Store>& neighbours);
  uint32_t wanted_capacity(const Policy& policy, const ClassGeometry& geometry,
                           bool missed_both_ways) const;
  void set_capacity(ClassIndex index, uint32_t capacity);
  template <typename Store>
  void give_oldest(ClassIndex index, uint32_t count, const CacheNeighbours<Store>& neighbours);
  template <typename Store>
  void age(const CacheNeighbours<Store>& neighbours);
  template <typename Store>
  void shrink(ClassIndex index, uint32_t capacity, const CacheNeighbours<Store>& neighbours);
  AllocationRate::Given given(const Geometry& geometry) const;

  uint32_t number_ = 0;
  OwnedCell<uint32_t> misses_;
  AllocationRate rate_;
  // Of the look before; only for those two.
  uint64_t relaxed_at_ns_ = 0;
  AllocationRate::Given relaxed_given_;
  uint32_t relaxed_misses_ = 0;
  bool slept_ = false;
  bool worked_ = false;
  static constexpr uint32_t kUsedBits = 64;
  static constexpr uint32_t kUsedWords = divide_up(kMaxClasses, kUsedBits);
  OwnedCell<uint64_t> used_[kUsedWords];
  Policy policies_[kMaxClasses];
  // The stacks of all classes follow the object in memory.
};

inline ThreadCache::Moved ThreadCache::moved(ClassIndex index) const {
  const Bin& bin = bins[raw(index)];
  const Traffic& traffic = policies_[raw(index)].traffic;
  // acquire, all but the last: in this order. What is taken from the sums is read after them, so
  // that whatever the owner does meanwhile makes the differences smaller. The fast path's stores
  // have no order of their own: a processor that exchanges them (not x86) may show one too many.
  const uint64_t refused = traffic.refills_refused.get_acquire();
  const uint64_t allocations = bin.allocations.get_acquire();
  const uint64_t refills = traffic.refills.get_acquire();
  const uint64_t out = traffic.blocks_out.get_acquire();
  void** const bottom = bin.bottom.get_acquire();
  void** const top = bin.top.get_acquire();
  const uint64_t in = traffic.blocks_in.get();
  const auto cached = static_cast<uint64_t>(top > bottom ? top - bottom : 0);
  const uint64_t plus = cached + allocations + out;
  return {.allocations = allocations,
          .cached = cached,
          .frees = plus - std::min(plus, in),
          .hits = allocations + refused - std::min(allocations + refused, refills),
          .in = in,
          .out = out};
}

}  // namespace spillway::core
