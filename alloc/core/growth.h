// The untouched end of one class's span: slots are handed out in address order, each once, from
// memory that is committed in chunks of growing size. Lock-free: threads that need a chunk at the
// same time all ask the kernel for the same one, which is harmless.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/core/arena.h"
#include "alloc/core/geometry.h"
#include "alloc/core/pool_size.h"

namespace spillway::core {

class Growth {
 public:
  void attach(Arena& arena, ClassIndex index, const ClassGeometry& geometry, PoolSize& pool_size);

  // The fresh slots up to the next group (groups.h), so that threads which grow at the same time
  // share none: the first one's index goes to `first`, their number is returned. 0: the span is
  // used up or the kernel gives no memory. Fresh slots read as zero.
  uint32_t take_group(SlotIndex& first);

  // Slots handed out so far; never falls.
  // relaxed: a gauge.
  uint32_t taken() const { return taken_.load(std::memory_order_relaxed); }
  uint32_t committed() const { return committed_.load(std::memory_order_relaxed); }

 private:
  bool commit_more(uint32_t committed);
  bool commit_up_to(uint32_t committed, uint32_t target);

  Arena* arena_ = nullptr;
  const ClassGeometry* geometry_ = nullptr;
  PoolSize* pool_size_ = nullptr;
  ClassIndex index_ = kNoClass;
  // Invariant: taken_ <= committed_ <= geometry_->slots.
  std::atomic<uint32_t> taken_{0};
  std::atomic<uint32_t> committed_{0};
};

}  // namespace spillway::core
