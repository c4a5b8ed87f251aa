// Small engines for tests, over memory that fails on demand.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/core/engine.h"
#include "test/os/faulty_memory.h"

namespace spillway::core::testing {

inline constexpr std::array<uint32_t, 4> kBlockSizes = {4 * kKiB, 12 * kKiB, 64 * kKiB, kMiB};
inline constexpr ClassIndex kSmall{1};
inline constexpr ClassIndex kTwelve{2};
inline constexpr ClassIndex kLarge{4};

// An anchor as a thread finds it at its start.
inline ThreadAnchor new_anchor() {
  return ThreadAnchor{OwnedCell<BinTable*>(const_cast<BinTable*>(&kNoCacheYet)), {}, {}};
}

struct EngineFixture {
  explicit EngineFixture(int64_t cache_budget = CacheBudget::kAdaptive,
                         size_t span_bytes = 16 * kMiB, uint32_t most_threads = 64) {
    os::faulty::reset();
    started = engine.start({.block_sizes = kBlockSizes,
                            .most_span_bytes = span_bytes,
                            .least_span_bytes = Arena::kSpanAlignment,
                            .most_threads = most_threads,
                            .cache_budget = cache_budget,
                            .on_double_free = {.call = count_double_free, .owner = this}});
  }
  ~EngineFixture() {
    if (started) {
      engine.stop();
    }
    os::faulty::reset();
  }
  EngineFixture(const EngineFixture&) = delete;
  EngineFixture& operator=(const EngineFixture&) = delete;

  // As malloc and free do, without the size map.
  Granule allocate(ThreadAnchor& anchor, ClassIndex index) {
    Granule block = kNoGranule;
    if (anchor.busy.get() || !anchor.bins.get()->of(index).pop(block)) {
      block = engine.take(anchor, index);
    }
    if (block != kNoGranule) {
      engine.arena().state(block).store(live_state(index));
    }
    return block;
  }
  void free(ThreadAnchor& anchor, Granule block) {
    const auto state = engine.arena().state(block).load();
    engine.arena().state(block).store(SlotState::kFree);
    const ClassIndex index{raw(state)};
    if (anchor.busy.get() || !anchor.bins.get()->of(index).push(block)) {
      engine.give(anchor, index, block);
    }
  }
  stats::Snapshot snapshot() const {
    stats::Snapshot result;
    engine.collect(result);
    return result;
  }

  static void count_double_free(void* owner, Granule) {
    static_cast<EngineFixture*>(owner)->double_frees.fetch_add(1);
  }

  Engine engine;
  bool started = false;
  std::atomic<int> double_frees{0};
};

}  // namespace spillway::core::testing
