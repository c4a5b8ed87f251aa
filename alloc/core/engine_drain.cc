// SPDX-License-Identifier: MIT
// Drain: the scavenger takes over the cache of a thread that rests. Meanwhile that thread may end,
// or the process may fork: the child may lack the drainer, or the thread. The drain states are in
// thread_cache.h.
#include "alloc/core/engine.h"
#include "alloc/core/page_heap.h"
#include "alloc/core/slot_store.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

constexpr uint64_t kMaxDetachNs = 10'000'000'000;

// Of owners that do not exist in a forked child. Written, and never read.
constinit ThreadState lost_state{};

}  // namespace

template <typename Store>
void Engine<Store>::allow_draining(ThreadState& thread_state) {
  ThreadCache* cache = own_cache(thread_state);
  if (cache != nullptr && cache->thread_state.get() == nullptr) {
    cache->thread_state.set(&thread_state);
    // release: pairs with the acquire in begin_drain(); the thread state is set.
    cache->drain_state.store(ThreadCache::DrainState::kOwned, std::memory_order_release);
  }
}

// It is kMoving from then on. False: it is not the owner's, or may not be drained.
template <typename Store>
bool Engine<Store>::claim_drain(ThreadCache& cache) {
  auto owned = ThreadCache::DrainState::kOwned;
  // acquire: pairs with the releases in allow_draining() and give_state_back().
  return cache.drain_state.compare_exchange_strong(owned, ThreadCache::DrainState::kMoving,
                                                   std::memory_order_acquire,
                                                   std::memory_order_relaxed);
}

template <typename Store>
typename Engine<Store>::BeginDrain Engine<Store>::begin_drain(ThreadCache& cache) {
  using DrainState = ThreadCache::DrainState;
  if (!claim_drain(cache)) {
    return BeginDrain::kNever;
  }
  ThreadState& thread_state = *cache.thread_state.get();
  thread_state.bins.set(const_cast<BinTable*>(&kCacheDraining));
  // After this each thread has either seen the exchange or shows that it is busy: it sets the flag
  // before it reads the pointer.
  const bool barred = os::barrier_in_all_threads();
  // acquire: pairs with the release at the end of the thread's last BusyScope. In that scope it may
  // have written the pointer itself (meter()), over the exchange: then it still uses the cache.
  if (barred && !thread_state.busy.get_acquire() && thread_state.bins.get() == &kCacheDraining) {
    // release: pairs with the acquire in detach(); the thread state is not written from here on.
    cache.drain_state.store(DrainState::kDraining, std::memory_order_release);
    return BeginDrain::kYes;
  }
  give_state_back(cache);
  return barred ? BeginDrain::kBusy : BeginDrain::kNever;
}

// The drain state is kMoving.
template <typename Store>
void Engine<Store>::give_state_back(ThreadCache& cache) {
  // release: pairs with ThreadState::table() and the acquire in usable_cache(); the drainer's
  // changes of the cache.
  cache.thread_state.get()->bins.set_release(table_of(cache));
  // release: pairs with the acquires in begin_drain() and detach().
  cache.drain_state.store(ThreadCache::DrainState::kOwned, std::memory_order_release);
}

template <typename Store>
void Engine<Store>::end_drain(ThreadCache& cache) {
  auto draining = ThreadCache::DrainState::kDraining;
  // relaxed: the owner does nothing to a cache while it is drained, and its end hands nothing over.
  if (cache.drain_state.compare_exchange_strong(draining, ThreadCache::DrainState::kMoving,
                                                std::memory_order_relaxed)) {
    give_state_back(cache);
  } else if (draining == ThreadCache::DrainState::kOrphaned) {
    cache.flush(neighbours());
    release_cache(cache);
  }
}

// In a forked child of the drainer, which goes on with what it was doing: a signal handler forked.
// False for a cache that is not being drained.
template <typename Store>
bool Engine<Store>::leave_to_drainer(ThreadCache& cache) {
  using DrainState = ThreadCache::DrainState;
  // relaxed, all: the only thread there is.
  switch (cache.drain_state.load(std::memory_order_relaxed)) {
    case DrainState::kNone:
    case DrainState::kOwned:
      return false;
    case DrainState::kDraining:
      // As if the owner had ended: end_drain() flushes and releases it.
      cache.drain_state.store(DrainState::kOrphaned, std::memory_order_relaxed);
      return true;
    case DrainState::kMoving:
      // It becomes kOwned by a thread that never calls; the next looks flush it.
      cache.thread_state.set(&lost_state);
      return true;
    case DrainState::kOrphaned:
      return true;
  }
  return false;
}

template <typename Store>
uint64_t Engine<Store>::relax_caches() {
  const uint64_t now = os::monotonic_ns();
  uint64_t held = 0;
  registry_.for_each([&](ThreadCache& cache) {
    // relaxed: a cache whose drain begins now is looked at the next time.
    if (cache.drain_state.load(std::memory_order_relaxed) == ThreadCache::DrainState::kNone ||
        !cache.holds_anything()) {
      return;
    }
    BeginDrain begun = BeginDrain::kBusy;
    if (cache.needs_relaxing(neighbours(), now)) {
      begun = begin_drain(cache);
    }
    if (begun == BeginDrain::kYes) {
      cache.relax(neighbours());
      held += cache.bytes(geometry_);
      end_drain(cache);
    } else if (begun == BeginDrain::kBusy) {
      held += cache.bytes(geometry_);
    }
  });
  return held;
}

template <typename Store>
auto Engine<Store>::flush_caches() -> Flushed {
  constexpr int kMaxTries = 8;  // a thread is at work for some nanoseconds
  Flushed flushed;
  registry_.for_each([&](ThreadCache& cache) {
    if (!cache.holds_anything()) {
      return;
    }
    const uint64_t bytes = cache.bytes(geometry_);
    // relaxed: a cache whose drain begins now is left as it is.
    bool may_try =
        cache.drain_state.load(std::memory_order_relaxed) != ThreadCache::DrainState::kNone;
    for (int i = 0; may_try && i < kMaxTries; ++i) {
      const BeginDrain begun = begin_drain(cache);
      if (begun == BeginDrain::kYes) {
        cache.flush(neighbours());
        end_drain(cache);
        flushed.caches += 1;
        flushed.bytes += bytes;
        return;
      }
      may_try = begun == BeginDrain::kBusy;
    }
    flushed.left += 1;
  });
  return flushed;
}

template <typename Store>
void Engine<Store>::detach(ThreadState& thread_state) {
  using DrainState = ThreadCache::DrainState;
  ThreadCache* cache = own_cache(thread_state);
  DrainState seen = DrainState::kNone;
  if (cache != nullptr) {
    os::BoundedWait wait(kMaxDetachNs);
    for (;;) {
      // relaxed: the exchange decides.
      seen = cache->drain_state.load(std::memory_order_relaxed);
      if (seen == DrainState::kMoving) {
        // Over in some microseconds, or when the drainer runs again.
        if (wait.pause()) {
          continue;
        }
        break;
      }
      const DrainState next =
          seen == DrainState::kDraining ? DrainState::kOrphaned : DrainState::kNone;
      // acquire: pairs with the releases in give_state_back() and begin_drain().
      if (cache->drain_state.compare_exchange_weak(seen, next, std::memory_order_acquire)) {
        break;
      }
    }
  }
  const bool ours = cache != nullptr && (seen == DrainState::kOwned || seen == DrainState::kNone);
  {
    const BusyScope busy(thread_state);
    thread_state.bins.set(const_cast<BinTable*>(&kCacheGone));
    if (ours) {
      cache->flush(neighbours());
    }
    // Last: a child that a signal handler forks leaves the cache alone until then.
    thread_state.cache_number.set(0);
  }
  if (ours) {
    release_cache(*cache);
  }
}

template void Engine<PageHeap>::allow_draining(ThreadState&);
template bool Engine<PageHeap>::claim_drain(ThreadCache&);
template bool Engine<PageHeap>::leave_to_drainer(ThreadCache&);
template uint64_t Engine<PageHeap>::relax_caches();
template auto Engine<PageHeap>::flush_caches() -> Flushed;
template void Engine<PageHeap>::detach(ThreadState&);
template void Engine<PageHeap>::give_state_back(ThreadCache&);
template void Engine<SlotStore>::allow_draining(ThreadState&);
template bool Engine<SlotStore>::claim_drain(ThreadCache&);
template bool Engine<SlotStore>::leave_to_drainer(ThreadCache&);
template uint64_t Engine<SlotStore>::relax_caches();
template void Engine<SlotStore>::detach(ThreadState&);
template void Engine<SlotStore>::give_state_back(ThreadCache&);

}  // namespace spillway::core
