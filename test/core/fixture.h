// Small engines for tests, over memory that fails on demand.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/core/engine.h"
#include "test/os/fake_process.h"
#include "test/os/faulty_memory.h"

namespace spillway::core::testing {

inline constexpr std::array<uint32_t, 4> kBlockSizes = {4 * kKiB, 12 * kKiB, 64 * kKiB, kMiB};
inline constexpr ClassIndex kSmall{1};
inline constexpr ClassIndex kTwelve{2};
inline constexpr ClassIndex kColoured{3};
inline constexpr ClassIndex kLarge{4};  // coloured, too
inline constexpr size_t kColouredFrom = 64 * kKiB;

// More than any test's caches want.
inline constexpr CacheBudget::Config kAmple{.floor = 64 * kMiB, .pool_share = 8};

// An anchor as a thread finds it at its start.
inline ThreadAnchor new_anchor() {
  return ThreadAnchor{OwnedCell<BinTable*>(const_cast<BinTable*>(&kNoCacheYet))};
}

inline Engine::Config engine_config(CacheBudget::Config cache_budget = kAmple,
                                    size_t span_bytes = 16 * kMiB, uint32_t most_threads = 64) {
  Engine::Config config{};
  config.block_sizes = kBlockSizes;
  config.most_span_bytes = span_bytes;
  config.least_span_bytes = Arena::kSpanAlignment;
  config.layout.coloured_from = kColouredFrom;
  config.most_threads = most_threads;
  config.cache_budget = cache_budget;
  return config;
}

struct EngineFixture {
  explicit EngineFixture(const Engine::Config& wanted = engine_config()) {
    os::faulty::reset();
    os::fake::reset();
    Engine::Config config = wanted;
    config.on_double_free = {.call = count_double_free, .owner = this};
    started = engine.start(config);
  }
  ~EngineFixture() {
    if (started) {
      engine.stop();
    }
    os::faulty::reset();
    os::fake::reset();
  }
  EngineFixture(const EngineFixture&) = delete;
  EngineFixture& operator=(const EngineFixture&) = delete;

  StateByte& state_of(const void* block) const {
    return engine.arena().state_at(engine.arena().offset(block));
  }
  void mark_live(const void* block) const {
    state_of(block).store(live_state(inside_granule(engine.arena().offset(block))));
  }

  // As malloc and free do, without the size map.
  void* take(ThreadAnchor& anchor, ClassIndex index) {
    if (!anchor.busy.get()) {
      const BusyScope busy(anchor);
      void* block = nullptr;
      if (anchor.table().of(index).pop(block)) {
        return block;
      }
    }
    return engine.take(anchor, index);
  }
  void* allocate(ThreadAnchor& anchor, ClassIndex index) {
    void* block = take(anchor, index);
    if (block != nullptr) {
      mark_live(block);
    }
    return block;
  }
  void free(ThreadAnchor& anchor, void* block) {
    const size_t offset = engine.arena().offset(block);
    state_of(block).store(SlotState::kFree);
    if (!anchor.busy.get()) {
      const BusyScope busy(anchor);
      if (anchor.table().of_span(engine.arena().span_at(offset)).push(block)) {
        return;
      }
    }
    engine.give(anchor, engine.arena().class_of(engine.arena().granule_at(offset)), block);
  }
  stats::Snapshot snapshot() const {
    stats::Snapshot result;
    engine.collect(result);
    return result;
  }

  static void count_double_free(void* owner, void* /*block*/) {
    static_cast<EngineFixture*>(owner)->double_frees.fetch_add(1);
  }

  Engine engine;
  bool started = false;
  std::atomic<int> double_frees{0};
};

}  // namespace spillway::core::testing
