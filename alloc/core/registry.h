// All thread caches of an engine, in one reserved range: claimed by threads, released when they
// end, reused. Lock-free. Memory of released caches stays, for the next thread and for the
// statistics: a process has as many as it ever had threads at one time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/core/freelist.h"
#include "alloc/core/geometry.h"
#include "alloc/core/thread_cache.h"

namespace spillway::core {

class Registry {
 public:
  // Makes room for `most_caches`, or half, a quarter, ... when the kernel refuses. Threads beyond
  // work without a cache. With room for none claim() always fails.
  void reserve(const Geometry& geometry, uint32_t most_caches);
  void release_memory();

  // A cache for the calling thread, or null. One system call when it is a new one.
  ThreadCache* claim();
  // Empty and no longer anybody's.
  void release(ThreadCache& cache);

  // Calls `action(ThreadCache&)` for every cache that was ever claimed.
  template <typename Action>
  void for_each(Action action) const {
    // relaxed: a number whose cache is not complete yet is skipped below.
    const uint32_t numbered = numbered_.load(std::memory_order_relaxed);
    for (uint32_t number = 0; number < numbered && number < room_; ++number) {
      ThreadCache& cache = at(number);
      // acquire: pairs with the release in create(): the cache is complete.
      if (cache.life.load(std::memory_order_acquire) != ThreadCache::Life::kNotYet) {
        action(cache);
      }
    }
  }

 private:
  ThreadCache& at(uint32_t number) const {
    return *reinterpret_cast<ThreadCache*>(memory_ + number * stride_);
  }
  ThreadCache* create();

  const Geometry* geometry_ = nullptr;
  char* memory_ = nullptr;
  size_t stride_ = 0;
  uint32_t room_ = 0;
  std::atomic<uint32_t> numbered_{0};
  Freelist free_numbers_;
};

}  // namespace spillway::core
