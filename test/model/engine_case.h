// SPDX-License-Identifier: MIT
// A small engine for cases: threads allocate and free as malloc does, by way of their caches.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "alloc/core/engine.h"
#include "alloc/core/page_heap.h"
#include "alloc/core/slot_store.h"
#include "test/model/explore.h"

namespace spillway::core::testing {

inline constexpr ClassIndex kOnly{1};
inline constexpr std::array<uint32_t, 1> kOnlySize = {4096};

template <typename Store>
struct EngineCase {
  static constexpr unsigned kThreads = 3;
  static constexpr uint32_t kSlots = 8;  // blocks that there are
  static constexpr uint32_t kCapacity = 2;

  EngineCase() {
    typename Engine<Store>::Config config{};
    config.store.block_sizes = kOnlySize;
    if constexpr (std::is_same_v<Store, PageHeap>) {
      config.store.coloured_from = SIZE_MAX;
      config.store.max_bytes = config.store.min_bytes = kChunkSize;
      config.store.max_run_bytes = kChunkSize;
    } else {
      config.store.max_span_bytes = config.store.min_span_bytes = Range::kAlignment;
      config.store.max_slots = kSlots;
    }
    config.bins = {.fixed = true, .capacity = kCapacity};
    config.max_threads = kThreads;
    config.cache_budget = {.floor = kMiB};
    config.on_double_free = {[](void* self, void*) { ++static_cast<EngineCase*>(self)->told; },
                             this};
    model::require(engine.start(config), "the engine starts");
    if constexpr (std::is_same_v<Store, PageHeap>) {
      // The rest of the chunk is in use, as two blocks: none is longer than half of the arena.
      constexpr size_t kHalf = (kChunkSize - kSlots * kOnlySize[0]) / 2;
      for (int half = 0; half < 2; ++half) {
        model::require(engine.store().take_large(kHalf, kGranuleSize) != nullptr, "room");
      }
    }
    for (ThreadState& thread_state : thread_states) {
      thread_state.bins.set(const_cast<BinTable*>(&kNoCacheYet));
    }
  }

  // The cache of a thread, which is at work on it or is drained.
  ThreadCache* attach(unsigned number) {
    ThreadState& thread_state = thread_states[number];
    model::require(engine.attach(thread_state), "there is a cache for each thread");
    return static_cast<ThreadCache*>(&thread_state.table());
  }

  size_t offset(const void* block) const { return engine.arena().offset(block); }
  StateByte& state(const void* block) const {
    return engine.arena().state(engine.arena().granule_at(offset(block)));
  }
  static uint64_t& contents(void* block) { return *static_cast<uint64_t*>(block); }

  void* take(ThreadState& thread_state) {
    if (!thread_state.busy.get()) {
      const BusyScope busy(thread_state);
      void* block = nullptr;
      if (thread_state.table().of(kOnly).pop(block)) {
        return block;
      }
    }
    return engine.take(thread_state, kOnly);
  }
  // May be null.
  void* allocate(unsigned number) {
    void* const block = take(thread_states[number]);
    if (block != nullptr) {
      model::require(state(block).load() != SlotState::kClean || contents(block) == 0,
                     "a block was called clean and is not zero");
      state(block).store(live_state(inside_granule(offset(block))));
      contents(block) = number + 1;
    }
    return block;
  }
  void give(ThreadState& thread_state, void* block) {
    if (!thread_state.busy.get()) {
      const BusyScope busy(thread_state);
      if (thread_state.table().of(kOnly).push(block)) {
        return;
      }
    }
    engine.give(thread_state, kOnly, block);
  }
  void free(unsigned number, void* block) {
    if (block == nullptr) {
      return;
    }
    model::require(contents(block) == number + 1, "a block's contents are its owner's");
    contents(block) = 0xdead;
    state(block).store(SlotState::kFree);
    give(thread_states[number], block);
  }

  // Once the threads are done, or are no more: no block is in two places, and none of `live` is
  // free. Returns how many there are to be had; they stay with the thread.
  uint32_t take_all(unsigned number, std::initializer_list<void*> live = {}) {
    constexpr uint32_t kMax = 2 * kSlots;
    void* all[kMax];
    uint32_t count = 0;
    for (void* block; count < kMax && (block = take(thread_states[number])) != nullptr; ++count) {
      // By its state: whether it was here before.
      model::require(!is_live(state(block).load()), "a block is in two places");
      for (void* const other : live) {
        model::require(block != other, "a block is free and has an owner");
      }
      state(block).store(live_state(inside_granule(offset(block))));
      all[count] = block;
    }
    for (uint32_t i = 0; i < count; ++i) {
      state(all[i]).store(SlotState::kFree);
    }
    return count;
  }
  Engine<Store> engine;
  ThreadState thread_states[kThreads] = {};
  uint32_t told = 0;  // of blocks that were freed twice
};

}  // namespace spillway::core::testing
