#include "alloc/core/engine.h"

#include <algorithm>
#include <new>

#include "alloc/base/bits.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

constexpr ClassIndex class_index(uint32_t number) {
  return ClassIndex{static_cast<uint8_t>(number)};
}

// Gauges are sums and differences of counters that other threads change meanwhile.
constexpr uint64_t difference(uint64_t larger, uint64_t smaller) {
  return larger > smaller ? larger - smaller : 0;
}

}  // namespace

bool Engine::start(const Config& config) {
  on_double_free_ = config.on_double_free;
  const auto classes = static_cast<uint32_t>(config.block_sizes.size());
  if (!arena_.reserve(classes + config.large_spans, config.most_span_bytes, config.least_span_bytes,
                      config.units)) {
    return false;
  }
  // In place: a copy on the stack would be 5 KiB.
  ::new (&geometry_)
      Geometry(make_geometry(config.block_sizes, arena_.class_bytes(), config.layout));
  if (!reserve_freelists(config.large_spans)) {
    arena_.release();
    return false;
  }
  budget_.configure(config.cache_budget, pool_size_);
  registry_.reserve(geometry_, config.most_threads);
  return true;
}

bool Engine::reserve_freelists(uint32_t large_spans) {
  size_t bytes = LargeBlocks::bytes_needed(arena_, large_spans);
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    bytes += Central::bytes_needed(geometry_.classes[i]);
  }
  freelist_bytes_ = align_up(bytes, os::page_size());
  freelist_memory_ = os::reserve(freelist_bytes_, os::Access::kReadWrite, nullptr);
  if (freelist_memory_ == nullptr) {
    return false;
  }
  auto* memory = static_cast<char*>(freelist_memory_);
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    centrals_[i].attach(arena_, class_index(i), geometry_.classes[i], pool_size_, memory);
    memory += Central::bytes_needed(geometry_.classes[i]);
  }
  large_.attach(arena_, geometry_.class_count, large_spans, memory);
  return true;
}

void Engine::stop() {
  registry_.release_memory();
  os::release(freelist_memory_, freelist_bytes_);
  arena_.release();
}

ThreadCache* Engine::usable_cache(const ThreadAnchor& anchor) const {
  BinTable* const bins = &anchor.table();
  if (bins == &kCacheMetered) {
    return own_cache(anchor);
  }
  const bool none = bins == &kNoCacheYet || bins == &kCacheLent || bins == &kCacheGone;
  return none ? nullptr : static_cast<ThreadCache*>(bins);
}

void* Engine::take(ThreadAnchor& anchor, ClassIndex index) {
  if (anchor.busy.get()) {
    return take_uncached(index);
  }
  {
    const BusyScope busy(anchor);
    ThreadCache* cache = usable_cache(anchor);
    if (cache != nullptr) {
      return take_from(*cache, index);
    }
  }
  void* const block = take_uncached(index);
  return block != nullptr || own_cache(anchor) == nullptr ? block : take_when_back(anchor, index);
}

void* Engine::take_from(ThreadCache& cache, ClassIndex index) {
  // Not empty after all when a signal handler freed a block meanwhile, or when the caller found the
  // cache lent or metered.
  void* block = nullptr;
  return cache.of(index).pop(block) ? block : cache.refill(index, neighbours());
}

// What the class has left may be in the thread's own cache, which is lent for a moment.
void* Engine::take_when_back(ThreadAnchor& anchor, ClassIndex index) {
  void* block = nullptr;
  for (os::BoundedWait wait(kSecondNs); block == nullptr && wait.pause();) {
    const BusyScope busy(anchor);
    ThreadCache* cache = usable_cache(anchor);
    if (cache != nullptr) {
      return take_from(*cache, index);
    }
    block = take_uncached(index);
  }
  return block;
}

void* Engine::take_uncached(ClassIndex index) {
  Central::Client client;
  void* block = nullptr;
  if (central(index).take_used(client, &block, 1) == 0) {
    if (central(index).take_fresh(client, &block, 1) == 0) {
      return nullptr;
    }
    central(index).put_run(client);
    fresh_.add(geometry_.of(index).block_size);
  }
  // relaxed: a count.
  uncached_[raw(index)].taken.fetch_add(1, std::memory_order_relaxed);
  return block;
}

uint64_t Engine::give(ThreadAnchor& anchor, ClassIndex index, void* block) {
  const uint64_t size = geometry_.of(index).block_size;
  if (!anchor.busy.get()) {
    const BusyScope busy(anchor);
    ThreadCache* cache = usable_cache(anchor);
    if (cache != nullptr) {
      // Room after all when the caller found the cache metered.
      return cache->of(index).push(block) ? 0 : cache->spill(index, block, neighbours()) * size;
    }
  }
  Central::Client client;
  // relaxed: a count.
  uncached_[raw(index)].given.fetch_add(1, std::memory_order_relaxed);
  neighbours().put(index, client, &block, 1);
  return size;
}

void Engine::meter(ThreadAnchor& anchor, bool metered) {
  if (anchor.busy.get()) {
    return;
  }
  const BusyScope busy(anchor);
  ThreadCache* cache = usable_cache(anchor);
  if (cache != nullptr) {
    cache->metered.set(metered);
    anchor.bins.set(metered ? const_cast<BinTable*>(&kCacheMetered) : cache);
  }
}

bool Engine::attach(ThreadAnchor& anchor) {
  if (anchor.bins.get() != &kNoCacheYet || anchor.busy.get()) {
    return false;
  }
  const BusyScope busy(anchor);
  ThreadCache* cache = registry_.claim();
  // Not asked for again when there is none: each miss would search for one.
  anchor.bins.set(cache != nullptr ? cache : const_cast<BinTable*>(&kCacheGone));
  anchor.cache_number.set(cache != nullptr ? static_cast<uint16_t>(cache->number() + 1) : 0);
  return cache != nullptr;
}

void Engine::allow_borrowing(ThreadAnchor& anchor) {
  ThreadCache* cache = own_cache(anchor);
  if (cache != nullptr && cache->anchor.get() == nullptr) {
    cache->anchor.set(&anchor);
    // release: pairs with the acquire in borrow(); the anchor is set.
    cache->lease.store(ThreadCache::Lease::kOwned, std::memory_order_release);
  }
}

Engine::Borrowed Engine::borrow(ThreadCache& cache) {
  using Lease = ThreadCache::Lease;
  auto owned = Lease::kOwned;
  // acquire: pairs with the releases in allow_borrowing() and give_anchor_back().
  if (!cache.lease.compare_exchange_strong(owned, Lease::kMoving, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
    return Borrowed::kNever;
  }
  ThreadAnchor& anchor = *cache.anchor.get();
  anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  // After this each thread has either seen the exchange or shows that it is busy: it sets the flag
  // before it reads the pointer.
  const bool barred = os::barrier_in_all_threads();
  // acquire: pairs with the release at the end of the thread's last BusyScope.
  if (barred && !anchor.busy.get_acquire()) {
    // release: pairs with the acquire in detach(); the anchor is not written from here on.
    cache.lease.store(Lease::kLent, std::memory_order_release);
    return Borrowed::kYes;
  }
  give_anchor_back(cache);
  return barred ? Borrowed::kBusy : Borrowed::kNever;
}

// The lease is kMoving.
void Engine::give_anchor_back(ThreadCache& cache) {
  // release: pairs with the acquires in ThreadAnchor::table() and wait_for_return(); what was done
  // to the cache meanwhile.
  BinTable* const bins =
      cache.metered.get() ? const_cast<BinTable*>(&kCacheMetered) : static_cast<BinTable*>(&cache);
  cache.anchor.get()->bins.set_release(bins);
  // release: pairs with the acquires in borrow() and detach().
  cache.lease.store(ThreadCache::Lease::kOwned, std::memory_order_release);
}

void Engine::return_borrowed(ThreadCache& cache) {
  auto lent = ThreadCache::Lease::kLent;
  // acquire: pairs with the release in detach().
  if (cache.lease.compare_exchange_strong(lent, ThreadCache::Lease::kMoving,
                                          std::memory_order_acquire)) {
    give_anchor_back(cache);
  } else if (lent == ThreadCache::Lease::kOrphaned) {
    cache.flush(neighbours());
    release_cache(cache);
  }
}

void Engine::release_cache(ThreadCache& cache) {
  cache.anchor.set(nullptr);
  cache.metered.set(false);
  // relaxed: the registry hands the cache on.
  cache.lease.store(ThreadCache::Lease::kNone, std::memory_order_relaxed);
  registry_.release(cache);
}

uint64_t Engine::relax_caches() {
  const uint64_t now = os::monotonic_ns();
  uint64_t held = 0;
  registry_.for_each([&](ThreadCache& cache) {
    // relaxed: a cache that is lent out from now on is looked at the next time.
    if (cache.lease.load(std::memory_order_relaxed) == ThreadCache::Lease::kNone ||
        !cache.holds_anything(geometry_)) {
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

void Engine::cool() {
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    centrals_[i].cool();
  }
}

void Engine::detach(ThreadAnchor& anchor) {
  using Lease = ThreadCache::Lease;
  ThreadCache* cache = own_cache(anchor);
  Lease seen = Lease::kNone;
  if (cache != nullptr) {
    os::BoundedWait wait(10 * kSecondNs);
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
      // acquire: pairs with the releases in give_anchor_back() and borrow(). release: pairs with
      // the acquire in return_borrowed().
      if (cache->lease.compare_exchange_weak(seen, next, std::memory_order_acq_rel)) {
        break;
      }
    }
  }
  const bool ours = cache != nullptr && (seen == Lease::kOwned || seen == Lease::kNone);
  {
    const BusyScope busy(anchor);
    anchor.bins.set(const_cast<BinTable*>(&kCacheGone));
    anchor.cache_number.set(0);
    if (ours) {
      cache->flush(neighbours());
    }
  }
  if (ours) {
    release_cache(*cache);
  }
}

void Engine::flush(ThreadAnchor& anchor) {
  if (anchor.busy.get() || own_cache(anchor) == nullptr) {
    return;
  }
  os::BoundedWait wait(kSecondNs);
  do {
    const BusyScope busy(anchor);
    ThreadCache* cache = usable_cache(anchor);
    if (cache != nullptr) {
      return cache->flush(neighbours());
    }
  } while (wait.pause());
}

void Engine::recover_after_fork(ThreadAnchor& survivor, bool purge_was_ours) {
  ThreadCache* const mine = own_cache(survivor);
  // A thread that did not come along may have borrowed it, if the fork did not wait for that.
  // relaxed, all of them here: the only thread there is.
  if (mine != nullptr && !purge_was_ours &&
      mine->lease.load(std::memory_order_relaxed) != ThreadCache::Lease::kNone) {
    give_anchor_back(*mine);
  }
  registry_.for_each([this, mine](ThreadCache& cache) {
    if (&cache != mine && registry_.in_use(cache)) {
      cache.flush(neighbours());
      release_cache(cache);
    }
  });
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    centrals_[i].recover_after_fork(purge_was_ours);
  }
  large_.recover_after_fork(purge_was_ours);
  registry_.recover_after_fork();
  arena_.recover_after_fork();
}

void Engine::give_up_untouched() {
  if (!arena_.seal()) {
    return;
  }
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    const Central& one = centrals_[i];
    arena_.give_up(arena_.span_start(i - 1), one.committed_start());
    arena_.give_up(one.committed_end(), arena_.span_start(i));
  }
  large_.give_up_untouched();
  registry_.give_up_untouched();
}

bool Engine::free_bytes_reach(uint64_t bytes) {
  uint64_t sum = large_.free_bytes_up_to(bytes);
  for (uint32_t i = 1; i <= geometry_.class_count && sum < bytes; ++i) {
    sum += centrals_[i].dirty_bytes_up_to(bytes - sum);
  }
  // No more than they may hold, which is known at once.
  if (sum + static_cast<uint64_t>(std::max<int64_t>(budget_.claimed(), 0)) >= bytes) {
    registry_.for_each(
        [&](const ThreadCache& cache) { sum += sum < bytes ? cache.bytes(geometry_) : 0; });
  }
  return sum >= bytes;
}

uint64_t Engine::taken_bytes() const {
  uint64_t sum = 0;
  registry_.for_each([&](const ThreadCache& cache) {
    for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
      sum += cache.traffic(class_index(i)).blocks_in.get() * geometry_.classes[i].block_size;
    }
  });
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    // relaxed: a count.
    sum += uncached_[i].taken.load(std::memory_order_relaxed) * geometry_.classes[i].block_size;
  }
  return sum;
}

void Engine::collect(stats::Snapshot& snapshot) const {
  snapshot.class_count = geometry_.class_count;
  large_.collect(snapshot);
  snapshot.pool_reserved_bytes = arena_.bytes();
  snapshot.cache_capacity_bytes = static_cast<uint64_t>(budget_.claimed());
  snapshot.cache_budget_bytes = static_cast<uint64_t>(budget_.limit());
  uint64_t in[kMaxClasses] = {};
  uint64_t out[kMaxClasses] = {};
  registry_.for_each([&](const ThreadCache& cache) {
    snapshot.thread_caches += registry_.in_use(cache) ? 1U : 0U;
    for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
      const ThreadCache::Traffic& traffic = cache.traffic(class_index(i));
      in[i] += traffic.blocks_in.get();
      out[i] += traffic.blocks_out.get();
      snapshot.refills_total += traffic.refills.get();
      snapshot.spills_total += traffic.spills.get();
      snapshot.classes[i].cached += cache.bins[i].count();
      snapshot.classes[i].allocations_total += cache.bins[i].allocations.get();
    }
  });
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    stats::ClassSnapshot& one = snapshot.classes[i];
    // relaxed: counts.
    const uint64_t taken = uncached_[i].taken.load(std::memory_order_relaxed);
    const uint64_t given = uncached_[i].given.load(std::memory_order_relaxed);
    const uint64_t away_from_freelist = difference(in[i] + taken, out[i] + given);
    one.block_size = geometry_.classes[i].block_size;
    one.grown = centrals_[i].grown();
    one.live = difference(away_from_freelist, one.cached);
    one.free = difference(one.grown, away_from_freelist);
    one.clean = centrals_[i].count_clean();
    one.allocations_total += taken;
    snapshot.uncached_total += taken + given;
    snapshot.allocations_total += one.allocations_total;
    snapshot.pool_committed_bytes += centrals_[i].committed() * uint64_t{one.block_size};
    snapshot.pool_grown_bytes += one.grown * one.block_size;
    snapshot.pool_live_bytes += one.live * one.block_size;
    snapshot.pool_cached_bytes += one.cached * one.block_size;
    snapshot.pool_free_bytes += one.free * one.block_size;
    snapshot.pool_clean_bytes += one.clean * one.block_size;
  }
}

}  // namespace spillway::core
