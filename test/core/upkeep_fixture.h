// An engine with upkeep and a clock that stands still.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "alloc/core/upkeep.h"
#include "test/core/fixture.h"

namespace spillway::core::testing {

namespace faulty = os::faulty;

inline constexpr int64_t kDelayMs = 500;
// Runs after which everything is forgotten: 3/4 of some hundred megabytes so often is nothing.
inline constexpr int kMostRuns = 40;

// Spans of 256 MiB, so that there may be large blocks.
inline Engine::Config upkeep_config() {
  Engine::Config config = engine_config(kAmple, 256 * kMiB);
  config.large_spans = 1;
  return config;
}

// The thread has no cache: what is freed is free at once.
struct UpkeepFixture : EngineFixture {
  explicit UpkeepFixture(int64_t delay_ms = kDelayMs) : EngineFixture(upkeep_config()) {
    BOOST_REQUIRE(started);
    os::fake::stop_clock();
    upkeep.configure(delay_ms);
  }
  uint32_t run() {
    os::fake::advance_clock(kDelayMs / 2 * 1'000'000);
    return upkeep.run(engine);
  }
  int runs_until_nothing_is_left() {
    int runs = 1;
    while (runs < kMostRuns && run() != Upkeep::kNothingLeft) {
      ++runs;
    }
    return runs;
  }
  // As many blocks as make up so many bytes, each page written to.
  std::vector<void*> allocate_bytes(ClassIndex index, uint64_t bytes) {
    const uint32_t size = engine.geometry().of(index).block_size;
    std::vector<void*> blocks;
    for (uint64_t sum = 0; sum < bytes; sum += size) {
      blocks.push_back(allocate(anchor, index));
      BOOST_REQUIRE(blocks.back() != nullptr);
      std::memset(blocks.back(), 0x5a, size);
    }
    return blocks;
  }
  void free_all(const std::vector<void*>& blocks) {
    for (void* block : blocks) {
      free(anchor, block);
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
    BOOST_REQUIRE(runs_until_nothing_is_left() < kMostRuns);
    os::fake::advance_clock(uint64_t{kMostRuns} * kDelayMs / 2 * 1'000'000);
    BOOST_REQUIRE(run() == Upkeep::kNothingLeft);
  }
  // Some hundred KiB in the cache of a thread.
  void cache_some(ThreadAnchor& own) {
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
  uint64_t dirty_bytes() const {
    uint64_t sum = 0;
    for (uint8_t i = 1; i <= kBlockSizes.size(); ++i) {
      const Central& one = engine.class_at(ClassIndex{i});
      sum += uint64_t{one.count_warm() + one.count_cool()} * one.geometry().block_size;
    }
    return sum;
  }
  bool everything_is_free() const {
    for (uint8_t i = 1; i <= kBlockSizes.size(); ++i) {
      const Central& one = engine.class_at(ClassIndex{i});
      if (one.count_free() != one.grown()) {
        return false;
      }
    }
    return true;
  }
  stats::Snapshot purges() const {
    stats::Snapshot result;
    upkeep.collect(engine, result);
    return result;
  }

  ThreadAnchor anchor = new_anchor();
  Upkeep upkeep;
};
struct Never : UpkeepFixture {
  Never() : UpkeepFixture(Upkeep::kNever) {}
};

}  // namespace spillway::core::testing
