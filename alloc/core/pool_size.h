// Bytes of blocks that an engine took into use: the most that the program may have touched. Counted
// by growth, read by the cache budget and by who chooses among blocks.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace spillway::core {

class PoolSize {
 public:
  // relaxed: a count that orders nothing.
  void grow(uint64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  // Of these, what may have memory, when somebody last counted it (upkeep.h). relaxed: a rule of
  // thumb.
  void note_with_memory(uint64_t bytes) { noted_.store(bytes, std::memory_order_relaxed); }
  uint64_t lately() const { return std::min(bytes(), noted_.load(std::memory_order_relaxed)); }

 private:
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> noted_{UINT64_MAX};
};

}  // namespace spillway::core
