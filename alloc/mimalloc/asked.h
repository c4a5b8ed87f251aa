// SPDX-License-Identifier: MIT
// Requests that mimalloc 2.0.9 passes on before it serves them (asked_first_209.h): to another
// allocator, to the heap profile, or to the heap of a tenant.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/index.h"

#if SPILLWAY_MIMALLOC_EXTENDED
extern "C" [[gnu::visibility("hidden")]] std::atomic<uint8_t> spillway_mimalloc_asks;
#endif

namespace spillway::mimalloc {

// Why it does; the first for threads in a tenant alone. asked_first_209.h knows the bits.
enum class Asked : uint8_t { kForTenants = 1, kForAllocator = 2, kForSamples = 4 };
// Its next requests see it, of each thread.
void set_asked(Asked reason, bool on);

inline bool is_asked([[maybe_unused]] Asked reason) {
#if SPILLWAY_MIMALLOC_EXTENDED
  // relaxed: what the reason needs is ordered elsewhere.
  return (spillway_mimalloc_asks.load(std::memory_order_relaxed) & raw(reason)) != 0;
#else
  return false;
#endif
}

// Before an aligned request, which mimalloc does not pass on: while small requests are sampled, its
// list has to end elsewhere.
void prepare_aligned(size_t size);

}  // namespace spillway::mimalloc
