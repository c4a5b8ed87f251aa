// SPDX-License-Identifier: MIT
// An engine with the scavenger and a clock that stands still.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "alloc/core/scavenger.h"
#include "test/core/fixture.h"

namespace spillway::core::testing {

namespace faulty = os::faulty;

inline constexpr int64_t kDelayMs = 500;
// Runs after which everything is forgotten: 3/4 of some hundred megabytes so often is nothing.
inline constexpr int kMaxRuns = 40;

// 1 GiB, so that there are wide slots, of 4 MiB.
inline HeapEngine::Config scavenger_config() { return engine_config<PageHeap>(kAmple, 256 * kMiB); }

// The thread has no cache: what is freed is free at once.
struct ScavengerFixture : EngineFixture<PageHeap> {
  explicit ScavengerFixture(int64_t delay_ms = kDelayMs)
      : EngineFixture<PageHeap>(scavenger_config()) {
    BOOST_REQUIRE(started);
    os::fake::stop_clock();
    scavenger.configure(delay_ms);
  }
  uint32_t run() {
    os::fake::advance_clock(kDelayMs / 2 * 1'000'000);
    return scavenger.run(engine);
  }
  int runs_until_nothing_is_left() {
    int runs = 1;
    while (runs < kMaxRuns && run() != Scavenger::kNothingLeft) {
      ++runs;
    }
    return runs;
  }
  // As many blocks as make up so many bytes, each page written to.
  std::vector<void*> allocate_bytes(ClassIndex index, uint64_t bytes) {
    const uint32_t size = engine.geometry().of(index).block_size;
    std::vector<void*> blocks;
    for (uint64_t sum = 0; sum < bytes; sum += size) {
      blocks.push_back(allocate(thread_state, index));
      BOOST_REQUIRE(blocks.back() != nullptr);
      std::memset(blocks.back(), 0x5a, size);
    }
    return blocks;
  }
  void free_all(const std::vector<void*>& blocks) {
    for (void* block : blocks) {
      free(thread_state, block);
    }
  }
  // The same number of bytes free in classes of all sizes, and no memory of any demand.
  void free_long_after(uint64_t bytes_each) {
    std::vector<void*> blocks;
    for (const ClassIndex index : {kSmall, kTwelve, kColoured, kLarge}) {
      const std::vector<void*> more = allocate_bytes(index, bytes_each);
      blocks.insert(blocks.end(), more.begin(), more.end());
    }
    forget();
    free_all(blocks);
  }
  // Until what was taken so far is no demand any more.
  void forget() {
    BOOST_REQUIRE(runs_until_nothing_is_left() < kMaxRuns);
    os::fake::advance_clock(uint64_t{kMaxRuns} * kDelayMs / 2 * 1'000'000);
    BOOST_REQUIRE(run() == Scavenger::kNothingLeft);
  }
  // Some hundred KiB in the cache of a thread.
  void cache_some(ThreadState& own) {
    std::vector<void*> blocks;
    for (int i = 0; i < 4; ++i) {
      blocks.push_back(allocate(own, kColoured));
      blocks.push_back(allocate(own, kTwelve));
      blocks.push_back(allocate(own, kTwelve));
    }
    for (void* block : blocks) {
      free(own, block);
    }
  }
  // A free block in a wide slot, written to.
  void leave_wide(size_t bytes) {
    WideSlots& wide = engine.store().wide();
    void* block = wide.take(bytes);
    BOOST_REQUIRE(block != nullptr);
    std::memset(block, 0x5a, bytes);
    state_of(block).store(SlotState::kFree);
    wide.give(block);
  }
  uint64_t wide_bytes() { return engine.store().wide().free_bytes_up_to(UINT64_MAX); }
  uint64_t dirty_bytes() const { return engine.store().free_bytes().dirty(); }
  stats::Snapshot purges() const {
    stats::Snapshot result;
    scavenger.collect(engine, result);
    return result;
  }

  ThreadState thread_state = new_state();
  Scavenger scavenger;
};
struct Never : ScavengerFixture {
  Never() : ScavengerFixture(Scavenger::kNever) {}
};

}  // namespace spillway::core::testing
