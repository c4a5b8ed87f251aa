// SPDX-License-Identifier: MIT
// A thread's stack of free blocks of one class, and the fast paths on it.
//
//   bottom ........ top ........ limit ........ end of the stack's memory
//   | free blocks    | room       | not yet allowed (ThreadCache raises and lowers limit)
//
// A bin whose three pointers are equal is both empty and full, so that every access to it takes the
// slow path: that is all there is to a thread without a cache, and to class 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"

namespace spillway::core {

// Half a cache line, and found by a shift.
struct alignas(32) Bin {
  OwnedCell<void**> top;
  OwnedCell<void**> bottom;
  OwnedCell<void**> limit;
  OwnedCell<uint64_t> allocations;  // blocks handed to the program through this bin

  // Both change nothing when they return false.
  SPILLWAY_ALWAYS_INLINE bool pop(void*& block) {
    void** const old_top = top.get();
    if (SPILLWAY_UNLIKELY(old_top == bottom.get())) {
      return false;
    }
    block = old_top[-1];
    top.set(old_top - 1);
    allocations.add(1);
    return true;
  }
  // The same for one of the last few in that is at a multiple of `alignment`, a power of two.
  bool pop_aligned(uintptr_t alignment, void*& block) {
    constexpr uint32_t kMaxLooks = 4;
    void** const old_top = top.get();
    const uint32_t looks = count() < kMaxLooks ? count() : kMaxLooks;
    for (uint32_t i = 1; i <= looks; ++i) {
      void* const found = old_top[-static_cast<ptrdiff_t>(i)];
      if (reinterpret_cast<uintptr_t>(found) % alignment == 0) {
        // A child that is forked between the two loses the last one instead of having it twice.
        void* const last = old_top[-1];
        top.set(old_top - 1);
        order_for_signals();
        old_top[-static_cast<ptrdiff_t>(i)] = last;
        allocations.add(1);
        block = found;
        return true;
      }
    }
    return false;
  }
  SPILLWAY_ALWAYS_INLINE bool push(void* block) {
    void** const old_top = top.get();
    if (SPILLWAY_UNLIKELY(old_top >= limit.get())) {
      return false;
    }
    *old_top = block;
    order_for_signals();  // a forked child trusts what is below top
    top.set(old_top + 1);
    return true;
  }
  uint32_t count() const { return static_cast<uint32_t>(top.get() - bottom.get()); }
};

struct BinTable {
  Bin bins[kMaxClasses];

  Bin& of(ClassIndex index) { return bins[raw(index)]; }
  // Of the class that lives in the arena's span of this number.
  Bin& of_span(size_t span) { return bins[span + 1]; }
};

// What a thread state points to in place of a cache. Never written: a bin is written only when it
// has blocks or room. Four objects, so that they can be told apart.
extern const BinTable kNoCacheYet;
extern const BinTable kCacheDraining;  // another thread drains it (Engine::relax_caches())
extern const BinTable kCacheMetered;   // each call takes the slow path, which uses the cache
extern const BinTable kCacheGone;      // the thread gave it back

// A thread's way to its cache: the only thread-local data there is.
struct ThreadState {
  // Another thread may exchange the cache for kCacheDraining and back, see Engine::relax_caches():
  // the loads acquire what it did meanwhile.
  OwnedCell<BinTable*> bins;
  // Set while this thread changes its bins, before it reads `bins`. A signal handler that finds it
  // set leaves them alone and goes to the store, so that malloc and free of pooled sizes may
  // interrupt themselves; and a thread that would drain the cache comes again.
  OwnedCell<bool> busy{};
  // Set once the thread's end will be noticed.
  OwnedCell<bool> end_noticed{};
  // And once it has all it will get: a cache, or none, that others may drain.
  OwnedCell<bool> settled{};
  // Calls of slow paths, modulo 256; for what is done at every so many.
  OwnedCell<uint8_t> slow_calls{};
  // The cache, whatever `bins` points to: its number in the registry and 1; 0 without a cache.
  OwnedCell<uint16_t> cache_number{};
  // What this thread may give back before it looks how much is free, in units of 64 KiB.
  OwnedCell<uint16_t> unlooked{};

  // Of a thread that has no cache and gets none.
  static ThreadState without_cache() {
    return {.bins = OwnedCell(const_cast<BinTable*>(&kCacheGone))};
  }

  BinTable& table() const { return *bins.get_acquire(); }
};
static_assert(sizeof(ThreadState) <= 16, "static TLS is a small surplus shared by all libraries");

// Holds the thread state's bins against signal handlers for a scope. Not for nested use.
class BusyScope {
 public:
  SPILLWAY_ALWAYS_INLINE explicit BusyScope(ThreadState& thread_state)
      : thread_state_(thread_state) {
    thread_state_.busy.set(true);
    order_for_signals();
  }
  SPILLWAY_ALWAYS_INLINE ~BusyScope() {
    order_for_signals();
    // release: pairs with the acquire in Engine::begin_drain().
    thread_state_.busy.set_release(false);
  }
  BusyScope(const BusyScope&) = delete;
  BusyScope& operator=(const BusyScope&) = delete;

 private:
  ThreadState& thread_state_;
};

}  // namespace spillway::core
