// SPDX-License-Identifier: MIT
// A set of size classes with everything that moves their blocks: one for the process heap, one per
// buffer pool. This header's functions are the slow paths; the fast ones are in bin.h.
//
// The life of a block; it is in exactly one of these places. `put` releases, `take` acquires.
//
//   page heap, or slots of a pool  ---- refill ----> thread cache -- pop --> live
//     (core/page_heap.h, slot_store.h) <--- spill ---              <- push -
//
// No lock, no allocation. Any thread; each passes its own thread state.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "alloc/base/attributes.h"
#include "alloc/base/index.h"
#include "alloc/core/bin.h"
#include "alloc/core/cache_budget.h"
#include "alloc/core/geometry.h"
#include "alloc/core/registry.h"
#include "alloc/core/thread_cache.h"
#include "alloc/stats/statistics.h"

namespace spillway::core {

// Why each of a thread's calls is to come to the slow path although its cache could serve it, at
// some ten nanoseconds more a call: while one of these holds, for it or for all.
enum class Metering : uint8_t {
  kForScavenger = 1,  // it does the work of a background thread
  kForSamples = 2,
  kForTenant = 4
};

template <typename Store>
class Engine {
 public:
  struct Config {
    typename Store::Config store;
    BinLayout bins;
    uint32_t max_threads;  // with a cache of their own; others go to the store
    CacheBudget::Config cache_budget;
    DoubleFreeHandler on_double_free;
  };

  constexpr Engine() = default;

  // Reserves everything. False when the kernel gives no arena: nothing is held then, owns() is
  // false for every pointer, and nothing else may be called. Call once.
  bool start(const Config& config);
  // For tests and pools: unmaps all. No block in use, no thread attached.
  void stop();

  const typename Store::Arena& arena() const { return store_.arena(); }
  typename Store::Arena& arena() { return store_.arena(); }
  Store& store() { return store_; }
  const Store& store() const { return store_; }
  const Geometry& geometry() const { return geometry_; }

  // A block for the caller, whose state byte still tells whether it is clean; null when the store
  // has none. For use after Bin::pop() failed. Cost: one batch from the store.
  void* take(ThreadState& thread_state, ClassIndex index);
  // That a request of so many bytes came to take(); for statistics.
  void note_request(const ThreadState& thread_state, ClassIndex index, size_t size) {
    ThreadCache* const cache = own_cache(thread_state);
    if (cache != nullptr) {
      cache->note_request(index, size);
    }
  }
  // A block back, its state byte already kFree, or kClean for one never handed out. For use after
  // Bin::push() failed. Returns the bytes that went to the store.
  uint64_t give(ThreadState& thread_state, ClassIndex index, void* block);

  // The next two are the page heap's, with the engine's counts: PageHeap::take_aligned(), resize().
  // A store that has no such function has no such block.
  void* take_aligned(ClassIndex index, size_t alignment);
  bool resize(void* block, ClassIndex index, size_t size);

  // The thread's cache even while it is being drained, for what the owner keeps in it besides bins;
  // null without one.
  ThreadCache* own_cache(const ThreadState& thread_state) const {
    const uint16_t number = thread_state.cache_number.get();
    return number != 0 ? &registry_.at(number - 1U) : nullptr;
  }
  // Gives the thread a cache if it has none yet; false when none can be had (it then works
  // without).
  bool attach(ThreadState& thread_state);
  // Flushes and returns the thread's cache; the thread works on without one. Waits for nothing but
  // a drainer that is at work on the thread state at this moment, ten seconds at most.
  void detach(ThreadState& thread_state);
  // Moves all blocks of the thread's cache to the store. Waits for a drainer, a second at
  // most.
  void flush(ThreadState& thread_state);
  // Meters the calling thread for a reason, or no longer for that one. False, and nothing changed:
  // it has no cache, and comes to the slow path anyway, or is to be metered and a drainer has its
  // thread state for more than a second. Without the reason it follows at its next slow path then.
  bool meter(ThreadState& thread_state, Metering reason, bool metered);
  // All threads, each from its next slow path on (follow_metering()).
  void meter_all(Metering reason, bool metered);
  // The same, and threads that allow draining from their next call on; some nanoseconds for each.
  void meter_all_now(Metering reason);
  // For each slow path: what meter_all() said. Two loads and a compare, mostly.
  void follow_metering(ThreadState& thread_state) {
    // relaxed: seen at the next slow path otherwise.
    const bool all = metered_for_all_.load(std::memory_order_relaxed) != 0;
    const bool is = thread_state.bins.get() == &kCacheMetered;
    if (SPILLWAY_UNLIKELY(all != is) && (all || own_cache(thread_state)->metered_for.get() == 0)) {
      settle_metering(thread_state);
    }
  }

  // What the fast path does, on the slow one, for a thread that is metered because its requests are
  // to be seen: false, and nothing changed, for other threads, other reasons, and where the cache
  // has no block, or no room.
  bool take_metered(ThreadState& thread_state, ClassIndex index, void*& block) {
    return use_metered(thread_state,
                       [&](ThreadCache& cache) { return cache.of(index).pop(block); });
  }
  bool give_metered(ThreadState& thread_state, ClassIndex index, void* block) {
    return use_metered(thread_state,
                       [&](ThreadCache& cache) { return cache.of(index).push(block); });
  }

  // From now on until detach(), which the thread is sure to call, others may drain its cache.
  void allow_draining(ThreadState& thread_state);
  // ThreadCache::relax() for the caches of all threads that allow it, each at a moment when its
  // thread is not at work on it. A thread that comes for its cache meanwhile works without. Where
  // the kernel has no membarrier, nothing happens. Not for two callers at a time; a few
  // microseconds for each cache that holds anything. Returns the bytes that those caches hold now.
  uint64_t relax_caches();

  // The same for whole caches, whether their threads rest or not: flush() of all threads that allow
  // draining. One that is at work on its cache is asked again some times.
  struct Flushed {
    uint32_t caches = 0;  // that held anything, and hold nothing now
    uint64_t bytes = 0;
    uint32_t left = 0;  // whose threads were at work each time, or do not allow it
  };
  Flushed flush_caches();

  // Gives back address space that was reserved and never used, all but the side table's: the engine
  // grows no more, and mimalloc serves what it cannot. For a process that limits its own.
  void give_up_untouched();
  // The bytes of that, about; 0 when it has none, or gave them up.
  uint64_t untouched_bytes() const;

  // Bytes in thread caches, but no more than `max_bytes` and a cache. Costs little where capacities
  // are much less.
  uint64_t cached_bytes_up_to(uint64_t max_bytes) const;
  // Bytes that left the store for caches and the program, since the start.
  uint64_t taken_bytes() const;

  // In a forked child: takes back the caches of threads that did not come along, and what the purge
  // of such a thread had in hand (`purge_was_ours`: the survivor's own goes on). Blocks that such a
  // thread was moving between bin and store at the moment of the fork stay lost to the child.
  void recover_after_fork(ThreadState& survivor, bool purge_was_ours);

  // Fills in what the engine knows. Reads one bin per thread and class that it used; no lock. Reads
  // them anew, a few times at most, if threads changed so much meanwhile that more blocks seem to
  // be live than there is memory for.
  void collect(stats::Snapshot& snapshot) const;

 private:
  // Of one class, all caches' and what went past them.
  struct Sum {
    uint64_t in = 0;
    uint64_t out = 0;
    uint64_t cached = 0;
    uint64_t allocations = 0;
    uint64_t frees = 0;
    uint64_t hits = 0;
    uint64_t refills = 0;
    uint64_t spills = 0;
    uint64_t requests = 0;
    uint64_t requested_bytes = 0;
    uint64_t uncached = 0;
  };
  void sum_up(Sum (&sums)[kMaxClasses]) const;
  // What a class's sum says of itself; its counters that may not go back are not among it.
  static void show(const Sum& sum, stats::ClassSnapshot& one);
  // Whether that many blocks fit into the memory: so much, or what the store has by now.
  bool is_possible(const Sum (&sums)[kMaxClasses], uint64_t grown_bytes) const;

  // The cache that the thread may use now, or null.
  ThreadCache* usable_cache(const ThreadState& thread_state) const;
  void* take_from(ThreadCache& cache, ClassIndex index);
  SPILLWAY_NOINLINE void* take_when_back(ThreadState& thread_state, ClassIndex index);
  void* take_uncached(ClassIndex index);

  CacheNeighbours<Store> neighbours() { return {geometry_, store_, budget_, on_double_free_}; }
  enum class BeginDrain : uint8_t { kYes, kBusy, kNever };
  static bool claim_drain(ThreadCache& cache);
  template <typename Use>
  bool use_metered(ThreadState& thread_state, Use use) {
    if (thread_state.bins.get() != &kCacheMetered || thread_state.busy.get()) {
      return false;
    }
    const BusyScope busy(thread_state);
    if (&thread_state.table() != &kCacheMetered) {
      return false;  // being drained meanwhile
    }
    ThreadCache& cache = *own_cache(thread_state);
    // relaxed: seen at the next call otherwise.
    const unsigned reasons =
        metered_for_all_.load(std::memory_order_relaxed) | cache.metered_for.get();
    const bool seen_only = reasons != 0 && (reasons & raw(Metering::kForScavenger)) == 0;
    return seen_only && use(cache);
  }
  BeginDrain begin_drain(ThreadCache& cache);
  void end_drain(ThreadCache& cache);
  void give_state_back(ThreadCache& cache);
  // What the thread state of a thread with this cache points to.
  BinTable* table_of(ThreadCache& cache) const;
  void settle_metering(ThreadState& thread_state);
  bool leave_to_drainer(ThreadCache& cache);
  void release_cache(ThreadCache& cache);

  Store store_;  // first: its arena is read on every free()
  Geometry geometry_;
  CacheBudget budget_;
  Registry registry_;
  DoubleFreeHandler on_double_free_{};
  std::atomic<uint8_t> metered_for_all_{0};  // of Metering; relaxed: a wish

  // Blocks that moved without a cache, and such that became another class's where they are.
  // relaxed, all: counts.
  struct Uncached {
    std::atomic<uint64_t> taken{0};
    std::atomic<uint64_t> given{0};
    std::atomic<uint64_t> came{0};
    std::atomic<uint64_t> went{0};
  };
  Uncached uncached_[kMaxClasses];
  // By collect(), of each class.
  mutable stats::ShownCounter shown_frees_[kMaxClasses];
  mutable stats::ShownCounter shown_hits_[kMaxClasses];
};

}  // namespace spillway::core
