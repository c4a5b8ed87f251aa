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
bool Engine<Store>::meter(ThreadAnchor& anchor, Metering reason, bool metered) {
  using Lease = ThreadCache::Lease;
  ThreadCache* const cache = own_cache(anchor);
  if (cache == nullptr) {
    return false;
  }
  // As a borrower, so that no other one writes the anchor by what it read before.
  for (os::BoundedWait wait(kSecondNs); !take_lease(*cache);) {
    // relaxed: only this thread changes kNone.
    if (cache->lease.load(std::memory_order_relaxed) == Lease::kNone) {
      cache->metered_for.set(with(cache->metered_for.get(), reason, metered));
      anchor.bins.set(table_of(*cache));
      return true;
    }
    if (!wait.pause()) {
      return false;
    }
  }
  cache->metered_for.set(with(cache->metered_for.get(), reason, metered));
  give_anchor_back(*cache);
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
    // The bins stay their thread's, which needs no barrier: it sees either table. One that is lent,
    // or that writes its anchor at this moment, follows later.
    if (take_lease(cache)) {
      give_anchor_back(cache);
    }
  });
}

template <typename Store>
SPILLWAY_COLD void Engine<Store>::settle_metering(ThreadAnchor& anchor) {
  if (anchor.busy.get()) {
    return;
  }
  const BusyScope busy(anchor);
  ThreadCache* const cache = usable_cache(anchor);
  if (cache != nullptr && anchor.bins.get() != table_of(*cache)) {
    anchor.bins.set(table_of(*cache));
  }
}

template BinTable* Engine<PageHeap>::table_of(ThreadCache&) const;
template bool Engine<PageHeap>::meter(ThreadAnchor&, Metering, bool);
template void Engine<PageHeap>::meter_all(Metering, bool);
template void Engine<PageHeap>::meter_all_now(Metering);
template void Engine<PageHeap>::settle_metering(ThreadAnchor&);
template BinTable* Engine<SlotStore>::table_of(ThreadCache&) const;
template bool Engine<SlotStore>::meter(ThreadAnchor&, Metering, bool);
template void Engine<SlotStore>::meter_all(Metering, bool);
template void Engine<SlotStore>::meter_all_now(Metering);
template void Engine<SlotStore>::settle_metering(ThreadAnchor&);

}  // namespace spillway::core
