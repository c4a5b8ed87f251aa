// SPDX-License-Identifier: MIT
// Why mimalloc 2.0.9 passes requests on before it serves them (asked_first_209.h): to another
// allocator, to the heap profile, or to the heap of a tenant (passed_on.h).
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/index.h"

#if SPILLWAY_MIMALLOC_EXTENDED
extern "C" [[gnu::visibility("hidden")]] std::atomic<uint8_t> spillway_mimalloc_asks;
#endif

namespace spillway::mimalloc {

// The first for threads in a tenant alone. asked_first_209.h knows the bits.
enum class Asked : uint8_t { kForTenants = 1, kForAllocator = 2, kForSamples = 4 };

// The next requests see it, of each thread. Not with other versions of mimalloc.
inline void set_asked([[maybe_unused]] Asked reason, [[maybe_unused]] bool on) {
#if SPILLWAY_MIMALLOC_EXTENDED
  // relaxed, both: a thread that sees it late asks at its next request.
  if (on) {
    spillway_mimalloc_asks.fetch_or(raw(reason), std::memory_order_relaxed);
  } else {
    spillway_mimalloc_asks.fetch_and(static_cast<uint8_t>(~raw(reason)), std::memory_order_relaxed);
  }
#endif
}

inline bool is_asked([[maybe_unused]] Asked reason) {
#if SPILLWAY_MIMALLOC_EXTENDED
  // relaxed: what the reason needs is ordered elsewhere.
  return (spillway_mimalloc_asks.load(std::memory_order_relaxed) & raw(reason)) != 0;
#else
  return false;
#endif
}

}  // namespace spillway::mimalloc
