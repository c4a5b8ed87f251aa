// SPDX-License-Identifier: MIT
// A thread's cache through an engine; what the program holds is counted here.
#pragma once

#include <boost/test/unit_test.hpp>
#include <vector>

#include "alloc/core/thread_cache.h"
#include "test/core/fixture.h"

namespace spillway::core::testing {

// What a thread does before each of its calls, in nanoseconds: next to nothing, or so much that
// misses do not matter.
inline constexpr uint64_t kFast = 1;
inline constexpr uint64_t kSlowNs = 1'000'000;

// The clock stands still: the thread turns out to have no time to lose.
template <typename Store>
struct CacheFixture : EngineFixture<Store> {
  explicit CacheFixture(CacheBudget::Config budget = kAmple)
      : CacheFixture(engine_config<Store>(budget)) {}
  explicit CacheFixture(const typename Engine<Store>::Config& config)
      : EngineFixture<Store>(config) {
    BOOST_REQUIRE(this->started);
    os::fake::stop_clock();
    BOOST_REQUIRE(this->engine.attach(thread_state));
  }
  std::vector<void*> allocate_many(ClassIndex index, uint32_t count) {
    std::vector<void*> blocks;
    for (uint32_t i = 0; i < count; ++i) {
      blocks.push_back(this->allocate(thread_state, index));
      BOOST_REQUIRE(blocks.back() != nullptr);
    }
    return blocks;
  }
  void free_all(const std::vector<void*>& blocks) {
    for (void* const block : blocks) {
      this->free(thread_state, block);
    }
  }
  // Allocates blocks and frees them, with this much work before each call.
  void work(ClassIndex index, uint32_t count, uint64_t nanoseconds) {
    std::vector<void*> blocks;
    for (uint32_t i = 0; i < count; ++i) {
      os::fake::advance_clock(nanoseconds);
      blocks.push_back(this->allocate(thread_state, index));
    }
    for (void* const block : blocks) {
      os::fake::advance_clock(nanoseconds);
      this->free(thread_state, block);
    }
  }
  // More misses than the thread's rate is measured by.
  void slow_down() { work(kTwelve, 600, kSlowNs); }
  uint64_t claimed() const { return this->snapshot().cache_capacity_bytes; }
  uint64_t misses() const { return this->snapshot().refills_total + this->snapshot().spills_total; }
  uint64_t cached(ClassIndex index) const { return this->snapshot().classes[raw(index)].cached; }

  ThreadState thread_state = new_state();
};

inline constexpr CacheBudget::Config kNoBudget{};

// For what does not depend on the store.
using HeapCacheFixture = CacheFixture<PageHeap>;
struct Drained : HeapCacheFixture {
  // An interval begins.
  Drained() {
    engine.allow_draining(thread_state);
    engine.relax_caches();
  }
};

}  // namespace spillway::core::testing
