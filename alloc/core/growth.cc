#include "alloc/core/growth.h"

#include <algorithm>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

// A chunk is as large as what the class has already, within these bounds: few system calls for
// large heaps, little commit charge for small ones.
constexpr size_t kLeastChunk = 2 * kMiB;
constexpr size_t kMostChunk = 64 * kMiB;

}  // namespace

void Growth::attach(Arena& arena, ClassIndex index, const ClassGeometry& geometry,
                    PoolSize& pool_size) {
  arena_ = &arena;
  index_ = index;
  geometry_ = &geometry;
  pool_size_ = &pool_size;
}

uint32_t Growth::take(uint32_t wanted, SlotIndex& first) {
  // relaxed: the compare-exchange below decides.
  uint32_t next = taken_.load(std::memory_order_relaxed);
  for (;;) {
    // acquire: pairs with the release in commit_up_to(), after the kernel's answer.
    const uint32_t committed = committed_.load(std::memory_order_acquire);
    if (next >= committed) {
      if (!commit_more(committed, wanted)) {
        return 0;
      }
      next = taken_.load(std::memory_order_relaxed);
      continue;
    }
    const uint32_t count = std::min(wanted, committed - next);
    // relaxed: nothing was written to the slots; whoever gets a number owns it.
    if (taken_.compare_exchange_weak(next, next + count, std::memory_order_relaxed)) {
      first = SlotIndex{next};
      pool_size_->grow(uint64_t{count} * geometry_->block_size);
      return count;
    }
  }
}

bool Growth::commit_more(uint32_t committed, uint32_t wanted) {
  const uint32_t left = geometry_->slots - committed;
  if (left == 0) {
    return false;
  }
  const size_t have = size_t{committed} * geometry_->stride_granules << kGranuleShift;
  const size_t chunk = std::clamp(have, kLeastChunk, kMostChunk);
  const auto slots =
      static_cast<uint32_t>(divide_up(chunk, size_t{geometry_->stride_granules} << kGranuleShift));
  // When a whole chunk is refused, what is needed now may still be had.
  return commit_up_to(committed, committed + std::min(std::max(slots, wanted), left)) ||
         commit_up_to(committed, committed + std::min(wanted, left)) ||
         commit_up_to(committed, committed + 1);
}

bool Growth::commit_up_to(uint32_t committed, uint32_t target) {
  if (!arena_->commit(index_, size_t{committed} * geometry_->stride_granules,
                      size_t{target} * geometry_->stride_granules)) {
    return false;
  }
  // Maximum of what was and what is: another thread may have committed further meanwhile.
  uint32_t current = committed;
  while (current < target &&
         // release: pairs with the acquire in take().
         !committed_.compare_exchange_weak(current, target, std::memory_order_release,
                                           std::memory_order_relaxed)) {
  }
  return true;
}

}  // namespace spillway::core
