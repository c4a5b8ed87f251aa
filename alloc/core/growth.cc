// SPDX-License-Identifier: MIT
#include "alloc/core/growth.h"

#include <algorithm>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

// A step is as large as what the class has already, within these bounds: few system calls for
// large pools, little commit charge for small ones.
constexpr size_t kMinStep = 2 * kMiB;
constexpr size_t kMaxStep = 64 * kMiB;

}  // namespace

void Growth::attach(Arena& arena, ClassIndex index, const SlotLayout& layout) {
  arena_ = &arena;
  index_ = index;
  layout_ = layout;
}

uint32_t Growth::take(uint32_t wanted, SlotIndex& first) {
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
    const uint32_t count = std::min(wanted, committed - next);
    // relaxed: nothing was written to the slots; the thread that gets a number owns it.
    if (taken_.compare_exchange_weak(next, next + count, std::memory_order_relaxed)) {
      first = SlotIndex{next};
      return count;
    }
  }
}

bool Growth::commit_more(uint32_t committed) {
  const Range::Growing growing(*arena_);
  const uint32_t left = layout_.slots - committed;
  if (!growing.allowed() || left == 0) {
    return false;
  }
  const size_t slot_bytes = size_t{layout_.stride_granules} << arena_->granule_shift();
  const size_t step = std::clamp(committed * slot_bytes, kMinStep, kMaxStep);
  const auto slots = static_cast<uint32_t>(divide_up(step, slot_bytes));
  // The kernel may refuse a whole step and allow the slots needed now.
  return commit_up_to(committed, committed + std::min(slots, left)) ||
         commit_up_to(committed, committed + 1);
}

bool Growth::commit_up_to(uint32_t committed, uint32_t target) {
  if (!arena_->commit(index_, size_t{committed} * layout_.stride_granules,
                      size_t{target} * layout_.stride_granules)) {
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
