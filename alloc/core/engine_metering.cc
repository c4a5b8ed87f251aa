// SPDX-License-Identifier: MIT
// Metering: which threads come to the slow path with each call, and for how long.
#include "alloc/core/engine.h"
#include "alloc/core/page_heap.h"
#include "alloc/core/slot_store.h"
#include "alloc/os/bounded_wait.h"

namespace spillway::core {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

constexpr uint8_t with(uint8_t reasons, Metering reason, bool metered) {
  return static_cast<uint8_t>(metered ? reasons | raw(reason) : reasons & ~raw(reason));
}

}  // namespace

template <typename Store>
BinTable* Engine<Store>::table_of(ThreadCache& cache) const {
  const bool metered =
      (cache.metered_for.get() | metered_for_all_.load(std::memory_order_relaxed)) != 0;
  return metered ? const_cast<BinTable*>(&kCacheMetered) : static_cast<BinTable*>(&cache);
}

template <typename Store>
bool Engine<Store>::meter(ThreadState& thread_state, Metering reason, bool metered) {
  using DrainState = ThreadCache::DrainState;
  ThreadCache* const cache = own_cache(thread_state);
  if (cache == nullptr) {
    return false;
  }
  // As a drainer, so that no other one writes the thread state by what it read before.
  for (os::BoundedWait wait(kSecondNs); !claim_drain(*cache);) {
    // relaxed: only this thread changes kNone.
    if (cache->drain_state.load(std::memory_order_relaxed) == DrainState::kNone) {
      cache->metered_for.set(with(cache->metered_for.get(), reason, metered));
      thread_state.bins.set(table_of(*cache));
      return true;
    }
    if (!wait.pause()) {
      if (metered) {
        return false;
      }
      // The drainer sees that when it gives the thread state back, or follow_metering() after it.
      cache->metered_for.set(with(cache->metered_for.get(), reason, false));
      return true;
    }
  }
  cache->metered_for.set(with(cache->metered_for.get(), reason, metered));
  give_state_back(*cache);
  return true;
}

template <typename Store>
void Engine<Store>::meter_all(Metering reason, bool metered) {
  uint8_t before = metered_for_all_.load(std::memory_order_relaxed);
  while (before != with(before, reason, metered) &&
         !metered_for_all_.compare_exchange_weak(before, with(before, reason, metered),
                                                 std::memory_order_relaxed)) {
  }
}

template <typename Store>
void Engine<Store>::meter_all_now(Metering reason) {
  meter_all(reason, true);
  registry_.for_each([&](ThreadCache& cache) {
    // The bins stay their thread's, which needs no barrier: it sees either table. One that is being
    // drained, or that writes its thread state at this moment, follows later.
    if (claim_drain(cache)) {
      give_state_back(cache);
    }
  });
}

template <typename Store>
SPILLWAY_COLD void Engine<Store>::settle_metering(ThreadState& thread_state) {
  if (thread_state.busy.get()) {
    return;
  }
  const BusyScope busy(thread_state);
  ThreadCache* const cache = usable_cache(thread_state);
  if (cache != nullptr && thread_state.bins.get() != table_of(*cache)) {
    thread_state.bins.set(table_of(*cache));
  }
}

template BinTable* Engine<PageHeap>::table_of(ThreadCache&) const;
template bool Engine<PageHeap>::meter(ThreadState&, Metering, bool);
template void Engine<PageHeap>::meter_all(Metering, bool);
template void Engine<PageHeap>::meter_all_now(Metering);
template void Engine<PageHeap>::settle_metering(ThreadState&);
template BinTable* Engine<SlotStore>::table_of(ThreadCache&) const;
template bool Engine<SlotStore>::meter(ThreadState&, Metering, bool);
template void Engine<SlotStore>::meter_all(Metering, bool);
template void Engine<SlotStore>::meter_all_now(Metering);
template void Engine<SlotStore>::settle_metering(ThreadState&);

}  // namespace spillway::core
