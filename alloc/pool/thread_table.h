// SPDX-License-Identifier: MIT
// The caches of a thread: a thread state for each pool that it uses, by the pool's number. A pool
// and a thread find theirs by one load and one compare, and pools never share one.
#pragma once

#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/core/bin.h"

namespace spillway::pool {

class Core;

// Pools that can have thread caches at one time; others work without.
inline constexpr uint32_t kMaxPools = 1024;

struct alignas(32) ThreadEntry {  // found by a shift
  core::ThreadState thread_state;
  Core* core;  // whose cache the thread state leads to; null: none
};

struct ThreadTable {
  ThreadEntry entries[kMaxPools + 1];  // the last one stays empty
};

// Null until the thread first misses, and again after its end was noticed (core_threads.cc).
extern constinit thread_local ThreadTable* thread_table;

}  // namespace spillway::pool
