// SPDX-License-Identifier: MIT
// Bytes that all thread caches of an engine together may hold. Capacity is claimed before a bin
// grows and given back when it shrinks, so the sum of all capacities never exceeds the budget.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/bits.h"

namespace spillway::core {

class CacheBudget {
 public:
  // Bytes: a floor, and on top of it a share of the pool: 1/pool_share, or none when that is 0.
  struct Config {
    uint64_t floor = 0;
    uint32_t pool_share = 0;
  };

  void configure(Config config) { config_ = config; }

  // Claims `bytes` of capacity; false, and nothing claimed, when the budget of a pool of
  // `pool_bytes` has less.
  [[nodiscard]] bool claim(uint64_t bytes, uint64_t pool_bytes) {
    const auto amount = static_cast<int64_t>(bytes);
    // relaxed here and below: a count that orders nothing. Read first: an exhausted budget is asked
    // at every miss, and a refusal should not take the line from other threads.
    const int64_t max_bytes = limit(pool_bytes);
    if (claimed_.load(std::memory_order_relaxed) + amount > max_bytes) {
      return false;
    }
    if (claimed_.fetch_add(amount, std::memory_order_relaxed) + amount <= max_bytes) {
      return true;
    }
    give_back(bytes);
    return false;
  }
  void give_back(uint64_t bytes) {
    claimed_.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  }

  int64_t claimed() const { return claimed_.load(std::memory_order_relaxed); }
  int64_t limit(uint64_t pool_bytes) const {
    const uint64_t share = config_.pool_share != 0 ? pool_bytes / config_.pool_share : 0;
    return static_cast<int64_t>(config_.floor + share);
  }

 private:
  Config config_;
  std::atomic<int64_t> claimed_{0};
};

}  // namespace spillway::core
