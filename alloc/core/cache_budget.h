// Bytes that all thread caches of an engine together may hold. Capacity is claimed before a bin
// grows and given back when it shrinks, so the sum of all capacities never exceeds the budget.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/core/pool_size.h"

namespace spillway::core {

class CacheBudget {
 public:
  static constexpr int64_t kAdaptive = -1;
  // Adaptive: a floor that lets a few threads work on large blocks, and a share of the pool.
  static constexpr int64_t kAdaptiveFloor = 64 * kMiB;
  static constexpr int64_t kAdaptiveShare = 8;

  // `bytes`: fixed, or kAdaptive.
  void configure(int64_t bytes, const PoolSize& pool) {
    fixed_ = bytes;
    pool_ = &pool;
  }

  // Claims `bytes` of capacity; false, and nothing claimed, when the budget has less.
  [[nodiscard]] bool claim(uint64_t bytes) {
    const auto amount = static_cast<int64_t>(bytes);
    // relaxed here and below: a count that orders nothing. Read first: an exhausted budget is asked
    // at every miss, and a refusal should not take the line from other threads.
    const int64_t most = limit();
    if (claimed_.load(std::memory_order_relaxed) + amount > most) {
      return false;
    }
    if (claimed_.fetch_add(amount, std::memory_order_relaxed) + amount <= most) {
      return true;
    }
    give_back(bytes);
    return false;
  }
  void give_back(uint64_t bytes) {
    claimed_.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  }

  int64_t claimed() const { return claimed_.load(std::memory_order_relaxed); }
  int64_t limit() const {
    return fixed_ != kAdaptive
               ? fixed_
               : kAdaptiveFloor + static_cast<int64_t>(pool_->bytes()) / kAdaptiveShare;
  }

 private:
  int64_t fixed_ = kAdaptive;
  std::atomic<int64_t> claimed_{0};
  const PoolSize* pool_ = nullptr;
};

}  // namespace spillway::core
