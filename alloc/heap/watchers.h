// SPDX-License-Identifier: MIT
// Whether requests are looked at, and what is kept of blocks that are watched (watched.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/core/heap_arena.h"
#include "alloc/heap/heap.h"

namespace spillway::heap {

// The watchers: each asks for a while, or for good, that requests be looked at.
enum class Watcher : uint8_t { kTenants = 1, kSamples = 2 };
inline constinit std::atomic<uint8_t> watchers{0};
inline void set_watching(Watcher watcher, bool on) {
  // relaxed, both: see mark_handed_out().
  if (on) {
    watchers.fetch_or(raw(watcher), std::memory_order_relaxed);
  } else {
    watchers.fetch_and(static_cast<uint8_t>(~raw(watcher)), std::memory_order_relaxed);
  }
}

// What is kept of a watched block; never all zero.
struct Note {
  uint8_t tenant = 0;   // 0: none
  uint32_t sample = 0;  // 24 bits; 0: none

  static constexpr uint32_t kMaxSample = (1U << 24) - 1;
  constexpr bool is_none() const { return tenant == 0 && sample == 0; }
  constexpr uint32_t word() const { return uint32_t{tenant} << 24 | (sample & kMaxSample); }
  static constexpr Note of(uint32_t word) {
    return {.tenant = static_cast<uint8_t>(word >> 24), .sample = word & kMaxSample};
  }
};

// Marks a block that no other thread has live and watched; plainly live, and false, when there is
// no memory for its note.
bool watch(void* block, Note note);

inline bool is_watched(const void* block) {
  const core::HeapArena& arena = heap.engine.arena();
  const size_t offset = arena.offset(block);
  return core::is_watched_at(arena.state_at(offset).load(), core::inside_granule(offset));
}
// Of a watched block.
Note note_of(const void* block);

// Address space that the notes take.
uint64_t watched_table_bytes();

}  // namespace spillway::heap
