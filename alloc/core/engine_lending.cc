// SPDX-License-Identifier: MIT
// Lending: upkeep borrows the cache of a thread that rests, and the end of a thread whose cache is
// lent, or does not exist in the forked child of its borrower. The states of a lease are in
// thread_cache.h.
#include "alloc/core/engine.h"
#include "alloc/core/page_heap.h"
#include "alloc/core/slot_store.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

constexpr uint64_t kMostDetachNs = 10'000'000'000;

// Of owners that do not exist in a forked child. Written, and never read.
constinit ThreadAnchor lost_anchor{};

}  // namespace

template <typename Store>
void Engine<Store>::allow_borrowing(ThreadAnchor& anchor) {
  ThreadCache* cache = own_cache(anchor);
  if (cache != nullptr && cache->anchor.get() == nullptr) {
    cache->anchor.set(&anchor);
    // release: pairs with the acquire in borrow(); the anchor is set.
    cache->lease.store(ThreadCache::Lease::kOwned, std::memory_order_release);
  }
}

// It is kMoving from then on. False: it is not the owner's, or may not be borrowed.
template <typename Store>
bool Engine<Store>::take_lease(ThreadCache& cache) {
  auto owned = ThreadCache::Lease::kOwned;
  // acquire: pairs with the releases in allow_borrowing() and give_anchor_back().
  return cache.lease.compare_exchange_strong(owned, ThreadCache::Lease::kMoving,
                                             std::memory_order_acquire, std::memory_order_relaxed);
}

template <typename Store>
typename Engine<Store>::Borrowed Engine<Store>::borrow(ThreadCache& cache) {
  using Lease = ThreadCache::Lease;
  if (!take_lease(cache)) {
    return Borrowed::kNever;
  }
  ThreadAnchor& anchor = *cache.anchor.get();
  anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  // After this each thread has either seen the exchange or shows that it is busy: it sets the flag
  // before it reads the pointer.
  const bool barred = os::barrier_in_all_threads();
  // acquire: pairs with the release at the end of the thread's last BusyScope. In that scope it may
  // have written the pointer itself (meter()), over the exchange: then it still uses the cache.
  if (barred && !anchor.busy.get_acquire() && anchor.bins.get() == &kCacheLent) {
    // release: pairs with the acquire in detach(); the anchor is not written from here on.
    cache.lease.store(Lease::kLent, std::memory_order_release);
    return Borrowed::kYes;
  }
  give_anchor_back(cache);
  return barred ? Borrowed::kBusy : Borrowed::kNever;
}

// The lease is kMoving.
template <typename Store>
void Engine<Store>::give_anchor_back(ThreadCache& cache) {
  // release: pairs with ThreadAnchor::table() and the acquire in usable_cache(); the borrower's
  // changes of the cache.
  cache.anchor.get()->bins.set_release(table_of(cache));
  // release: pairs with the acquires in borrow() and detach().
  cache.lease.store(ThreadCache::Lease::kOwned, std::memory_order_release);
}

template <typename Store>
void Engine<Store>::return_borrowed(ThreadCache& cache) {
  auto lent = ThreadCache::Lease::kLent;
  // relaxed: the owner does nothing to a cache that is lent, and hands nothing over by its end.
  if (cache.lease.compare_exchange_strong(lent, ThreadCache::Lease::kMoving,
                                          std::memory_order_relaxed)) {
    give_anchor_back(cache);
  } else if (lent == ThreadCache::Lease::kOrphaned) {
    cache.flush(neighbours());
    release_cache(cache);
  }
}

// In a forked child of the borrower, which goes on with what it was doing: a signal handler forked.
// False for a cache that is not lent.
template <typename Store>
bool Engine<Store>::leave_to_borrower(ThreadCache& cache) {
  using Lease = ThreadCache::Lease;
  // relaxed, all: the only thread there is.
  switch (cache.lease.load(std::memory_order_relaxed)) {
    case Lease::kNone:
    case Lease::kOwned:
      return false;
    case Lease::kLent:
      // As if the owner had ended: return_borrowed() flushes and releases it.
      cache.lease.store(Lease::kOrphaned, std::memory_order_relaxed);
      return true;
    case Lease::kMoving:
      // It becomes kOwned by a thread that never calls; the next looks flush it.
      cache.anchor.set(&lost_anchor);
      return true;
    case Lease::kOrphaned:
      return true;
  }
  return false;
}

template <typename Store>
uint64_t Engine<Store>::relax_caches() {
  const uint64_t now = os::monotonic_ns();
  uint64_t held = 0;
  registry_.for_each([&](ThreadCache& cache) {
    // relaxed: a cache that is lent out from now on is looked at the next time.
    if (cache.lease.load(std::memory_order_relaxed) == ThreadCache::Lease::kNone ||
        !cache.holds_anything()) {
      return;
    }
    Borrowed borrowed = Borrowed::kBusy;
    if (cache.needs_relaxing(neighbours(), now)) {
      borrowed = borrow(cache);
    }
    if (borrowed == Borrowed::kYes) {
      cache.relax(neighbours());
      held += cache.bytes(geometry_);
      return_borrowed(cache);
    } else if (borrowed == Borrowed::kBusy) {
      held += cache.bytes(geometry_);
    }
  });
  return held;
}

template <typename Store>
auto Engine<Store>::flush_caches() -> Flushed {
  constexpr int kMostTries = 8;  // a thread is at work for some nanoseconds
  Flushed flushed;
  registry_.for_each([&](ThreadCache& cache) {
    if (!cache.holds_anything()) {
      return;
    }
    const uint64_t bytes = cache.bytes(geometry_);
    // relaxed: a cache that is lent out from now on is left as it is.
    bool may_try = cache.lease.load(std::memory_order_relaxed) != ThreadCache::Lease::kNone;
    for (int i = 0; may_try && i < kMostTries; ++i) {
      const Borrowed borrowed = borrow(cache);
      if (borrowed == Borrowed::kYes) {
        cache.flush(neighbours());
        return_borrowed(cache);
        flushed.caches += 1;
        flushed.bytes += bytes;
        return;
      }
      may_try = borrowed == Borrowed::kBusy;
    }
    flushed.left += 1;
  });
  return flushed;
}

template <typename Store>
void Engine<Store>::detach(ThreadAnchor& anchor) {
  using Lease = ThreadCache::Lease;
  ThreadCache* cache = own_cache(anchor);
  Lease seen = Lease::kNone;
  if (cache != nullptr) {
    os::BoundedWait wait(kMostDetachNs);
    for (;;) {
      // relaxed: the exchange decides.
      seen = cache->lease.load(std::memory_order_relaxed);
      if (seen == Lease::kMoving) {
        // Over in some microseconds, or when the borrower runs again.
        if (wait.pause()) {
          continue;
        }
        break;
      }
      const Lease next = seen == Lease::kLent ? Lease::kOrphaned : Lease::kNone;
      // acquire: pairs with the releases in give_anchor_back() and borrow().
      if (cache->lease.compare_exchange_weak(seen, next, std::memory_order_acquire)) {
        break;
      }
    }
  }
  const bool ours = cache != nullptr && (seen == Lease::kOwned || seen == Lease::kNone);
  {
    const BusyScope busy(anchor);
    anchor.bins.set(const_cast<BinTable*>(&kCacheGone));
    if (ours) {
      cache->flush(neighbours());
    }
    // Last: a child that a signal handler forks leaves the cache alone until then.
    anchor.cache_number.set(0);
  }
  if (ours) {
    release_cache(*cache);
  }
}

template void Engine<PageHeap>::allow_borrowing(ThreadAnchor&);
template bool Engine<PageHeap>::take_lease(ThreadCache&);
template bool Engine<PageHeap>::leave_to_borrower(ThreadCache&);
template uint64_t Engine<PageHeap>::relax_caches();
template auto Engine<PageHeap>::flush_caches() -> Flushed;
template void Engine<PageHeap>::detach(ThreadAnchor&);
template void Engine<PageHeap>::give_anchor_back(ThreadCache&);
template void Engine<SlotStore>::allow_borrowing(ThreadAnchor&);
template bool Engine<SlotStore>::take_lease(ThreadCache&);
template bool Engine<SlotStore>::leave_to_borrower(ThreadCache&);
template uint64_t Engine<SlotStore>::relax_caches();
template void Engine<SlotStore>::detach(ThreadAnchor&);
template void Engine<SlotStore>::give_anchor_back(ThreadCache&);

}  // namespace spillway::core
