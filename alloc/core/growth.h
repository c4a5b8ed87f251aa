// SPDX-License-Identifier: MIT
// The untouched end of one class's span: slots are handed out in address order, each once, from
// memory that is committed in steps of growing size. Lock-free: threads that need a step at the
// same time all ask the kernel for the same one, which is harmless.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/core/arena.h"

namespace spillway::core {

// How the slots of a class lie in its span.
struct SlotLayout {
  uint32_t stride_granules = 0;  // distance between neighbouring slots
  uint32_t slots = 0;            // that fit the span
};

class Growth {
 public:
  void attach(Arena& arena, ClassIndex index, const SlotLayout& layout);

  // Up to `wanted` neighbouring slots: the first one's index goes to `first`, their number is
  // returned. 0: the span is used up or the kernel gives no memory. They read as zero.
  uint32_t take(uint32_t wanted, SlotIndex& first);

  // Slots handed out so far; never falls.
  // relaxed: a gauge.
  uint32_t taken() const { return taken_.load(std::memory_order_relaxed); }
  uint32_t committed() const { return committed_.load(std::memory_order_relaxed); }

 private:
  bool commit_more(uint32_t committed);
  bool commit_up_to(uint32_t committed, uint32_t target);

  Arena* arena_ = nullptr;
  ClassIndex index_ = kNoClass;
  SlotLayout layout_;
  // Invariant: taken_ <= committed_ <= layout_.slots.
  std::atomic<uint32_t> taken_{0};
  std::atomic<uint32_t> committed_{0};
};

}  // namespace spillway::core
