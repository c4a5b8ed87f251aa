// The byte that says where a block is now, kept outside the block and indexed by granule, so that
// free() finds it with one shift. Only the byte of a block's first granule is ever written: the
// others stay zero, which no live block is, and so an interior pointer fails the same compare that
// catches a double free.
//
// A live block's byte is its class index: free() needs no other lookup. The owner of the block (the
// thread that holds it, or the cache or freelist it is in) is the only writer.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/index.h"

namespace spillway::core {

enum class SlotState : uint8_t {
  // Never handed out, or given back to the kernel: reads as zero. Also any interior granule.
  kClean = 0,
  // 1 .. kMaxClasses - 1: live, of the class with this index.
  kLastLive = kMaxClasses - 1,
  // Free, contents unknown.
  kFree = 0xff
};

constexpr SlotState live_state(ClassIndex index) { return static_cast<SlotState>(raw(index)); }

constexpr bool is_live(SlotState state) {
  return state != SlotState::kClean && raw(state) <= raw(SlotState::kLastLive);
}

// Relaxed everywhere: a block is passed between threads by the program's own synchronisation while
// it is live and by the freelist's release and acquire while it is free; both order these bytes
// too.
class StateByte {
 public:
  SlotState load() const { return static_cast<SlotState>(value_.load(std::memory_order_relaxed)); }
  void store(SlotState state) { value_.store(raw(state), std::memory_order_relaxed); }

 private:
  std::atomic<uint8_t> value_;
};
static_assert(sizeof(StateByte) == 1, "one byte per granule");

}  // namespace spillway::core
