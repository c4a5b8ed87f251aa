// SPDX-License-Identifier: MIT
// The byte that says where a block is now, kept outside the block and indexed by granule, so that
// free() finds it with one shift. Only the byte of a granule that a block starts in is
// written: the others never say "live", and so an interior pointer fails the same compare that
// catches a double free.
//
// A live block's byte is the line of its granule that it starts at (blocks need not start at a
// granule's first byte, see page_heap.h and wide_slots.h): free() accepts exactly one address a
// granule. The owner of the block (the thread that holds it, or the cache or store it is in) is the
// only writer.
//
// A block may be live and watched: fast paths refuse it, and slow ones tell its watchers
// (heap/watched.h).
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/index.h"

namespace spillway::core {

enum class SlotState : uint8_t {
  // Never handed out, or given back to the kernel. Reads as zero where it is free. Also a granule
  // in which no block ever began.
  kClean = 0,
  // Live and watched, starting at line 0 .. 63 of this granule.
  kFirstWatched = 0x40,
  kLastWatched = 0x7f,
  // Free, contents unknown.
  kFree = 0x80,
  // The same, and in no thread's cache: a block that arrives there so was freed twice.
  kSpilled = 0x81,
  // Plainly live, starting at line 0 .. 63 of this granule: both bits above the line's set, so that
  // one instruction makes the byte out of an address.
  kFirstLive = 0xc0,
  kLastLive = 0xff
};

// Blocks start at multiples of a cache line.
inline constexpr unsigned kLineShift = 6;
inline constexpr size_t kLineSize = size_t{1} << kLineShift;
static_assert(kGranuleSize / kLineSize ==
              raw(SlotState::kLastLive) - raw(SlotState::kFirstLive) + 1);

// The bytes between an offset in the arena and the start of its granule.
constexpr size_t inside_granule(size_t offset) { return offset % kGranuleSize; }

// Of a plainly live block that starts at this offset.
constexpr SlotState live_state(size_t offset) {
  return static_cast<SlotState>((offset >> kLineShift) | raw(SlotState::kFirstLive));
}

// Whether a block with this state is plainly live and starts `inside` bytes after its granule's
// start; false for everything that needs a second look.
constexpr bool is_live_at(SlotState state, size_t inside) {
  return size_t{raw(state)} << kLineShift ==
         (inside | size_t{raw(SlotState::kFirstLive)} << kLineShift);
}

// The same of a watched one.
constexpr SlotState watched_state(size_t offset) {
  return static_cast<SlotState>((inside_granule(offset) >> kLineShift) |
                                raw(SlotState::kFirstWatched));
}
constexpr bool is_watched_at(SlotState state, size_t inside) {
  return size_t{raw(state)} << kLineShift ==
         (inside | size_t{raw(SlotState::kFirstWatched)} << kLineShift);
}

// Of one that is live either way, and of no other, this bit is set.
constexpr bool is_live(SlotState state) {
  return (raw(state) & raw(SlotState::kFirstWatched)) != 0;
}
constexpr bool is_watched(SlotState state) {
  return is_live(state) && raw(state) < raw(SlotState::kFree);
}
static_assert(!is_live(SlotState::kClean) && !is_live(SlotState::kFree) &&
              !is_live(SlotState::kSpilled));
static_assert(is_live(SlotState::kFirstLive) && !is_watched(SlotState::kFirstLive) &&
              is_watched(SlotState::kLastWatched));

// The line of its first granule that a live block starts at.
constexpr unsigned start_line(SlotState state) {
  return raw(state) & (raw(SlotState::kFirstWatched) - 1U);
}

// Relaxed everywhere: a block is passed between threads by the program's own synchronisation while
// it is live and by the store's release and acquire while it is free; both order these bytes
// too.
class StateByte {
 public:
  SlotState load() const { return static_cast<SlotState>(value_.load(std::memory_order_relaxed)); }
  void store(SlotState state) { value_.store(raw(state), std::memory_order_relaxed); }
  // What it was: of several threads that call it, one sees the block live.
  SlotState exchange(SlotState state) {
    return static_cast<SlotState>(value_.exchange(raw(state), std::memory_order_relaxed));
  }
  // False, and nothing changes, when it is not `expected`: of several threads that call it with the
  // same, one gets true.
  [[nodiscard]] bool replace(SlotState expected, SlotState state) {
    uint8_t value = raw(expected);
    return value_.compare_exchange_strong(value, raw(state), std::memory_order_relaxed);
  }

 private:
  std::atomic<uint8_t> value_;
};
static_assert(sizeof(StateByte) == 1, "one byte per granule");

}  // namespace spillway::core
