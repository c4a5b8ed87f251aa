// Bytes of blocks without memory that were handed out: so much the process may have grown. And
// whether there is so much other free memory that it had better not.
#pragma once

#include <atomic>
#include <cstdint>

namespace spillway::core {

class FreshBytes {
 public:
  // relaxed: a count that orders nothing.
  void add(uint64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  uint64_t total() const { return bytes_.load(std::memory_order_relaxed); }

  uint64_t since_look() const { return total() - looked_at_.load(std::memory_order_relaxed); }
  void look() { looked_at_.store(total(), std::memory_order_relaxed); }

  // relaxed: a hint.
  bool are_unwanted() const { return unwanted_.load(std::memory_order_relaxed); }
  void set_unwanted(bool unwanted) { unwanted_.store(unwanted, std::memory_order_relaxed); }

 private:
  std::atomic<bool> unwanted_{false};
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> looked_at_{0};
};

}  // namespace spillway::core
