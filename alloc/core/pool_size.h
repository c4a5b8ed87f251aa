// Bytes of blocks that an engine took into use: the most that the program may have touched. Counted
// by growth, read by the cache budget.
#pragma once

#include <atomic>
#include <cstdint>

namespace spillway::core {

class PoolSize {
 public:
  // relaxed: a count that orders nothing.
  void grow(uint64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> bytes_{0};
};

}  // namespace spillway::core
