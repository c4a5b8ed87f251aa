// SPDX-License-Identifier: MIT
// Watched blocks: a tenant is charged for them, or the heap profile sampled them, and is told of
// their end. Their state byte says so (core/slot_state.h), so that every fast path leaves them to
// the slow one; a note of four bytes names tenant and sample.
//
// A thread whose requests may be watched is metered (core::Metering), so that all of them come to
// the slow path. There, watching costs a load and a compare while it is off.
//
// A note is taken once: of several threads that free a block at once, one finds it live. Signal
// handlers may allocate and free watched blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/core/heap_arena.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/watchers.h"
#include "alloc/mimalloc/tenants.h"

namespace spillway::heap {

// Marks a block live that starts where the caller wants it, and that no other thread has, plainly
// or as its thread's request for `size` bytes is watched.
void mark_handed_out_slow(void* block, size_t size);
SPILLWAY_ALWAYS_INLINE void mark_handed_out(void* block, size_t size) {
  // relaxed: a request that comes at the same time is seen or not.
  if (SPILLWAY_LIKELY(watchers.load(std::memory_order_relaxed) == 0)) {
    return mark_live(block);
  }
  mark_handed_out_slow(block, size);
}

// Of a request that the pool can't serve, and that mimalloc does: its block is not watched. The
// mimalloc that is built in charges it by itself (mimalloc/tenants.h).
void note_unwatched_slow(size_t size);
SPILLWAY_ALWAYS_INLINE void note_unwatched(size_t size) {
  // relaxed: as above.
  if (SPILLWAY_UNLIKELY(!mimalloc::kChargesTenants &&
                        watchers.load(std::memory_order_relaxed) != 0)) {
    note_unwatched_slow(size);
  }
}

// Makes a watched block of so many usable bytes, whose state was `watched` a moment ago, free and
// the caller's to give back, and tells its watchers. False: another thread was faster.
bool unwatch(core::StateByte& state, core::SlotState watched, void* block, size_t bytes);

// After realloc of a live block in place to `size`; it had `before` usable bytes. Some nanoseconds
// for one that is not watched.
void tell_resized_slow(void* block, size_t before, size_t size);
inline void tell_resized(void* block, size_t before, size_t size) {
  // relaxed: as in mark_handed_out().
  if (SPILLWAY_UNLIKELY(is_watched(block) || watchers.load(std::memory_order_relaxed) != 0)) {
    tell_resized_slow(block, before, size);
  }
}

}  // namespace spillway::heap
