// SPDX-License-Identifier: MIT
// Process-wide counts of rare events.
#pragma once

#include <atomic>
#include <cstdint>

namespace spillway::heap {

class Counter {
 public:
  // relaxed: a count that orders nothing.
  void add() { value_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct Counters {
  Counter class_full;
  Counter double_frees;
  Counter invalid_frees;
  Counter damages;
  Counter size_mismatches;
  Counter limit_crossed;
  Counter hard_limit_refusals;
  Counter pressure_purges;
};
inline constinit Counters counters;

}  // namespace spillway::heap
