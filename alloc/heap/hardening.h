// SPDX-License-Identifier: MIT
// Hardened mode (options hardened, guard_pages and so on) and sampled guard pages: which requests
// get a guarded block instead of the pool's or mimalloc's, and what happens to such blocks.
//
// Nothing of it is on a fast path: in hardened mode no request has a class, so that all take the
// slow path, and mimalloc asks here before it serves a small one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/guard/guarded_heap.h"
#include "alloc/heap/guard_mode.h"

namespace spillway::heap {

extern constinit guard::GuardedHeap guarded;

// From the options, once, before the first block is handed out. Says when it can't do what they
// ask.
void start_hardening(bool is_pool_on);

// Null when the request is not for the guarded heap, or it has no memory for it. Cost otherwise: a
// load and a compare of the slow path.
void* take_guarded_slow(const guard::GuardedHeap::Request& request);
inline void* take_guarded(const guard::GuardedHeap::Request& request) {
  return SPILLWAY_LIKELY(guard_mode.get_acquire() == GuardMode::kOff) ? nullptr
                                                                      : take_guarded_slow(request);
}

// Of pointers that `guarded` owns.
void free_guarded(void* pointer);
size_t usable_guarded(const void* pointer);

}  // namespace spillway::heap
