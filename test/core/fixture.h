// SPDX-License-Identifier: MIT
// Small engines for tests, over memory that fails on demand: with a page heap, as the process heap
// has, or slots, as pools have.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "alloc/base/bits.h"
#include "alloc/core/engine.h"
#include "alloc/core/page_heap.h"
#include "alloc/core/slot_store.h"
#include "test/os/fake_process.h"
#include "test/os/faulty_memory.h"

namespace spillway::core::testing {

// For tests that are the same with either.
using Stores = std::tuple<PageHeap, SlotStore>;
template <typename Store>
inline constexpr bool kIsPageHeap = std::is_same_v<Store, PageHeap>;

inline constexpr std::array<uint32_t, 4> kBlockSizes = {4 * kKiB, 12 * kKiB, 64 * kKiB, kMiB};
inline constexpr ClassIndex kSmall{1};
inline constexpr ClassIndex kTwelve{2};
inline constexpr ClassIndex kColoured{3};  // in page heaps
inline constexpr ClassIndex kLarge{4};     // coloured, too
inline constexpr size_t kColouredFrom = 64 * kKiB;

// More than any test's caches want.
inline constexpr CacheBudget::Config kAmple{.floor = 64 * kMiB, .pool_share = 8};

// A thread state as a thread finds it at its start.
inline ThreadState new_state() {
  return ThreadState{OwnedCell<BinTable*>(const_cast<BinTable*>(&kNoCacheYet))};
}

// Room for so many bytes of each class; a page heap's are any class's. Up to 16 MiB none of them is
// for wide slots.
template <typename Store>
typename Engine<Store>::Config engine_config(CacheBudget::Config cache_budget = kAmple,
                                             size_t class_bytes = 16 * kMiB,
                                             uint32_t max_threads = 64) {
  typename Engine<Store>::Config config{};
  config.store.block_sizes = kBlockSizes;
  if constexpr (kIsPageHeap<Store>) {
    config.store.coloured_from = kColouredFrom;
    config.store.max_bytes = kBlockSizes.size() * class_bytes;
    config.store.min_bytes = Range::kAlignment;
    config.store.max_run_bytes = class_bytes;
  } else {
    config.store.max_span_bytes = class_bytes;
    config.store.min_span_bytes = Range::kAlignment;
  }
  config.bins = {.slow_bytes = 32 * kKiB};
  config.max_threads = max_threads;
  config.cache_budget = cache_budget;
  return config;
}

template <typename Store>
struct EngineFixture {
  using Config = typename Engine<Store>::Config;

  explicit EngineFixture(const Config& wanted = engine_config<Store>()) {
    os::faulty::reset();
    os::fake::reset();
    Config config = wanted;
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

  size_t offset(const void* block) const { return engine.arena().offset(block); }
  StateByte& state_of(const void* block) const {
    return engine.arena().state(engine.arena().granule_at(offset(block)));
  }
  ClassIndex class_of(const void* block) const {
    if constexpr (kIsPageHeap<Store>) {
      return engine.arena().entry_at(offset(block)).class_index();
    } else {
      return engine.arena().class_of(engine.arena().granule_at(offset(block)));
    }
  }
  void mark_live(const void* block) const {
    state_of(block).store(live_state(inside_granule(offset(block))));
  }
  // Blocks of the class that can be had of an engine in which nothing is live.
  size_t room_for(ClassIndex index) const {
    if constexpr (kIsPageHeap<Store>) {
      const uint32_t size = engine.geometry().of(index).block_size;
      const size_t run = size + (size >= kColouredFrom ? kGrainSize : 0);
      return engine.arena().bytes() / run;
    } else {
      return engine.store().central(index).slots();
    }
  }

  // As malloc and free do, without the size map.
  void* take(ThreadState& thread_state, ClassIndex index) {
    if (!thread_state.busy.get()) {
      const BusyScope busy(thread_state);
      void* block = nullptr;
      if (thread_state.table().of(index).pop(block)) {
        return block;
      }
    }
    return engine.take(thread_state, index);
  }
  void* allocate(ThreadState& thread_state, ClassIndex index) {
    void* block = take(thread_state, index);
    if (block != nullptr) {
      mark_live(block);
    }
    return block;
  }
  void free(ThreadState& thread_state, void* block) {
    state_of(block).store(SlotState::kFree);
    const ClassIndex index = class_of(block);
    if (!thread_state.busy.get()) {
      const BusyScope busy(thread_state);
      if (thread_state.table().of(index).push(block)) {
        return;
      }
    }
    engine.give(thread_state, index, block);
  }
  stats::Snapshot snapshot() const {
    stats::Snapshot result;
    engine.collect(result);
    return result;
  }
  // Spilled blocks, too, once they are given back.
  bool everything_is_free() {
    if constexpr (kIsPageHeap<Store>) {
      engine.store().empty_spill_freelists();
    }
    const stats::Snapshot now = snapshot();
    return now.pool_free_bytes == now.pool_grown_bytes;
  }

  static void count_double_free(void* owner, void* /*block*/) {
    static_cast<EngineFixture*>(owner)->double_frees.fetch_add(1);
  }

  Engine<Store> engine;
  bool started = false;
  std::atomic<int> double_frees{0};
};

}  // namespace spillway::core::testing
