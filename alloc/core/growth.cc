#include "alloc/core/growth.h"

#include <algorithm>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

// A chunk is as large as what the class has already, within these bounds: few system calls for
// large heaps, little commit charge for small ones.
constexpr size_t kLeastChunk = 2 * kMiB;
constexpr size_t kMostChunk = 64 * kMiB;
// Chunks from this size on are of a class that has as much already: huge pages there can add little
// to what is resident.
constexpr size_t kLeastHugeChunk = 32 * kMiB;

}  // namespace

void Growth::attach(Arena& arena, ClassIndex index, const ClassGeometry& geometry,
                    PoolSize& pool_size) {
  arena_ = &arena;
  index_ = index;
  geometry_ = &geometry;
  pool_size_ = &pool_size;
}

uint32_t Growth::take_group(SlotIndex& first) {
  // relaxed: the compare-exchange below decides.
  uint32_t next = taken_.load(std::memory_order_relaxed);
  for (;;) {
    // acquire: pairs with the release in commit_up_to(), after the kernel's answer.
    const uint32_t committed = committed_.load(std::memory_order_acquire);
    if (next >= committed) {
      if (!commit_more(committed)) {
        return 0;
      }
      next = taken_.load(std::memory_order_relaxed);
      continue;
    }
    const GroupLayout& groups = geometry_->groups;
    const uint32_t end = groups.matters() ? groups.first_slot(groups.group_of(next) + 1) : next + 1;
    const uint32_t count = std::min(end, committed) - next;
    // relaxed: nothing was written to the slots; whoever gets a number owns it.
    if (taken_.compare_exchange_weak(next, next + count, std::memory_order_relaxed)) {
      first = SlotIndex{next};
      pool_size_->grow(uint64_t{count} * geometry_->block_size);
      return count;
    }
  }
}

bool Growth::commit_more(uint32_t committed) {
  const Arena::Growing growing(*arena_);
  if (!growing.allowed()) {
    return false;
  }
  const uint32_t left = geometry_->slots - committed;
  if (left == 0) {
    return false;
  }
  const size_t have = size_t{committed} * geometry_->stride_granules << arena_->granule_shift();
  const size_t chunk = std::clamp(have, kLeastChunk, kMostChunk);
  const auto slots = static_cast<uint32_t>(
      divide_up(chunk, size_t{geometry_->stride_granules} << arena_->granule_shift()));
  // Whole groups: a split one would go to two threads.
  const GroupLayout& groups = geometry_->groups;
  const uint32_t target = committed + std::min(slots, left);
  const uint32_t whole =
      groups.matters() ? groups.first_slot(groups.group_of(target - 1) + 1) : target;
  // When a whole chunk is refused, what is needed now may still be had.
  return commit_up_to(committed, std::min(whole, geometry_->slots)) ||
         commit_up_to(committed, committed + 1);
}

bool Growth::commit_up_to(uint32_t committed, uint32_t target) {
  if (!arena_->commit(index_, size_t{committed} * geometry_->stride_granules,
                      size_t{target} * geometry_->stride_granules)) {
    return false;
  }
  const size_t granules = size_t{target - committed} * geometry_->stride_granules;
  if (arena_->huge_growth() && granules << arena_->granule_shift() >= kLeastHugeChunk) {
    arena_->prefer_huge(
        Granule{static_cast<uint32_t>(raw(arena_->first_granule(index_)) +
                                      size_t{committed} * geometry_->stride_granules)},
        granules);
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
