// SPDX-License-Identifier: MIT
// All thread caches of an engine, in one reserved range: claimed by threads, released when they
// end, reused. Lock-free. Memory of released caches stays, for the next thread and for the
// statistics: a process has as many as it ever had threads at one time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/core/freelist.h"
#include "alloc/core/geometry.h"
#include "alloc/core/thread_cache.h"

namespace spillway::core {

class Registry {
 public:
  // Makes room for `max_caches`, or half, a quarter, ... when the kernel refuses. Threads beyond
  // work without a cache. With room for none claim() always fails.
  void reserve(const Geometry& geometry, uint32_t max_caches);
  void release_memory();

  // A cache for the calling thread, or null. Two system calls when it is a new one.
  ThreadCache* claim();
  // Of an empty cache that no thread uses any more.
  void release(ThreadCache& cache);

  // Address space of caches that no thread had yet: there will be no more of them.
  void give_up_untouched();
  // The bytes of that.
  uint64_t untouched_bytes() const {
    return uint64_t{room() - std::min(room(), numbered())} * stride_;
  }
  // At most.
  uint64_t metadata_bytes() const {
    return room() == 0 ? 0
                       : uint64_t{std::min(room(), numbered())} * stride_ + table_bytes(reserved_);
  }
  // In a forked child: what release() of a thread that did not come along left undone.
  void recover_after_fork() { free_numbers_.repair(std::min(numbered(), room())); }

  // A cache that was claimed once.
  ThreadCache& at(uint32_t number) const {
    return *reinterpret_cast<ThreadCache*>(memory_ + number * stride_);
  }

  // Owned by a thread, or by one that a fork left behind.
  bool in_use(const ThreadCache& cache) const {
    // relaxed: a momentary answer.
    return lives_[cache.number()].load(std::memory_order_relaxed) == Life::kInUse;
  }

  // Calls `action(ThreadCache&)` for every cache that was ever claimed.
  template <typename Action>
  void for_each(Action action) const {
    for (uint32_t number = 0; number < numbered() && number < room(); ++number) {
      // acquire: pairs with the release in create(): the cache is complete.
      if (lives_[number].load(std::memory_order_acquire) != Life::kNotYet) {
        action(at(number));
      }
    }
  }

 private:
  // Kept beside the caches, for readers that come while one is being made; zero is kNotYet.
  enum class Life : uint8_t { kNotYet, kIdle, kInUse };

  static size_t table_bytes(uint32_t caches);
  // relaxed: a number whose cache is not complete yet is skipped by its life.
  uint32_t room() const { return room_.load(std::memory_order_relaxed); }
  uint32_t numbered() const { return numbered_.load(std::memory_order_relaxed); }
  ThreadCache* create();

  const Geometry* geometry_ = nullptr;
  char* memory_ = nullptr;
  size_t stride_ = 0;
  std::atomic<uint32_t> room_{0};  // relaxed: falls once, to what is numbered
  uint32_t reserved_ = 0;
  std::atomic<uint32_t> numbered_{0};
  std::atomic<Life>* lives_ = nullptr;
  Freelist free_numbers_;
};

}  // namespace spillway::core
