// SPDX-License-Identifier: MIT
#include "alloc/core/engine.h"

#include <algorithm>
#include <new>

#include "alloc/core/page_heap.h"
#include "alloc/core/slot_store.h"
#include "alloc/os/bounded_wait.h"

namespace spillway::core {
namespace {

// Tells as good as always: with 40 busy threads on two processors one snapshot in 8000 counts too
// much once (core.stress). arbitrary.
constexpr uint32_t kMaxRecounts = 4;
constexpr uint64_t kSecondNs = 1'000'000'000;

constexpr ClassIndex class_index(uint32_t number) {
  return ClassIndex{static_cast<uint8_t>(number)};
}

// Gauges are sums and differences of counters that other threads change meanwhile.
constexpr uint64_t difference(uint64_t larger, uint64_t smaller) {
  return larger > smaller ? larger - smaller : 0;
}

// What was asked for in the class's live blocks, by the average of the requests that were seen.
uint64_t estimate(const stats::ClassSnapshot& one, uint64_t requests, uint64_t requested_bytes) {
  if (one.live == 0) {
    return 0;
  }
  if (requests == 0) {
    return stats::kUnknown;
  }
  const auto average = static_cast<double>(requested_bytes) / static_cast<double>(requests);
  const auto bytes = static_cast<uint64_t>(average * static_cast<double>(one.live));
  return std::min(bytes, one.live_bytes);
}

}  // namespace

template <typename Store>
bool Engine<Store>::start(const Config& config) {
  on_double_free_ = config.on_double_free;
  if (!store_.start(config.store)) {
    return false;
  }
  // In place: a copy on the stack would be some KiB.
  ::new (&geometry_) Geometry(make_geometry(config.store.block_sizes, config.bins));
  budget_.configure(config.cache_budget);
  registry_.reserve(geometry_, config.max_threads);
  return true;
}

template <typename Store>
void Engine<Store>::stop() {
  registry_.release_memory();
  store_.stop();
}

template <typename Store>
ThreadCache* Engine<Store>::usable_cache(const ThreadState& thread_state) const {
  BinTable* const bins = &thread_state.table();
  if (bins == &kCacheMetered) {
    return own_cache(thread_state);
  }
  const bool none = bins == &kNoCacheYet || bins == &kCacheDraining || bins == &kCacheGone;
  return none ? nullptr : static_cast<ThreadCache*>(bins);
}

template <typename Store>
void* Engine<Store>::take(ThreadState& thread_state, ClassIndex index) {
  if (thread_state.busy.get()) {
    return take_uncached(index);
  }
  {
    const BusyScope busy(thread_state);
    ThreadCache* cache = usable_cache(thread_state);
    if (cache != nullptr) {
      return take_from(*cache, index);
    }
  }
  void* const block = take_uncached(index);
  return block != nullptr || own_cache(thread_state) == nullptr
             ? block
             : take_when_back(thread_state, index);
}

template <typename Store>
void* Engine<Store>::take_from(ThreadCache& cache, ClassIndex index) {
  // Not empty after all when a signal handler freed a block meanwhile, or when the caller found the
  // cache drained or metered.
  void* block = nullptr;
  return cache.of(index).pop(block) ? block : cache.refill(index, neighbours());
}

// What the class has left may be in the thread's own cache, which is being drained for a moment.
template <typename Store>
void* Engine<Store>::take_when_back(ThreadState& thread_state, ClassIndex index) {
  void* block = nullptr;
  for (os::BoundedWait wait(kSecondNs); block == nullptr && wait.pause();) {
    const BusyScope busy(thread_state);
    ThreadCache* cache = usable_cache(thread_state);
    if (cache != nullptr) {
      return take_from(*cache, index);
    }
    block = take_uncached(index);
  }
  return block;
}

template <typename Store>
void* Engine<Store>::take_uncached(ClassIndex index) {
  uint32_t hint = 0;
  void* block = nullptr;
  if (store_.take(index, hint, &block, 1) != 0) {
    // relaxed: a count.
    uncached_[raw(index)].taken.fetch_add(1, std::memory_order_relaxed);
  }
  return block;
}

template <typename Store>
uint64_t Engine<Store>::give(ThreadState& thread_state, ClassIndex index, void* block) {
  const uint64_t size = geometry_.of(index).block_size;
  if (!thread_state.busy.get()) {
    const BusyScope busy(thread_state);
    ThreadCache* cache = usable_cache(thread_state);
    if (cache != nullptr) {
      // Room after all when the caller found the cache metered.
      return cache->of(index).push(block) ? 0 : cache->spill(index, block, neighbours()) * size;
    }
  }
  uint32_t hint = 0;
  // relaxed: a count.
  uncached_[raw(index)].given.fetch_add(1, std::memory_order_relaxed);
  neighbours().put(index, hint, &block, 1);
  return size;
}

template <typename Store>
void* Engine<Store>::take_aligned(ClassIndex index, size_t alignment) {
  void* block = nullptr;
  if constexpr (requires { store_.take_aligned(index, alignment); }) {
    block = store_.take_aligned(index, alignment);
    uncached_[raw(index)].taken.fetch_add(block != nullptr ? 1 : 0, std::memory_order_relaxed);
  }
  return block;
}

template <typename Store>
bool Engine<Store>::resize(void* block, ClassIndex index, size_t size) {
  if constexpr (requires { store_.resize(block, index, size); }) {
    const ClassIndex before = arena().entry_at(arena().offset(block)).class_index();
    if (!store_.resize(block, index, size)) {
      return false;
    }
    if (before != index) {
      uncached_[raw(before)].went.fetch_add(1, std::memory_order_relaxed);
      uncached_[raw(index)].came.fetch_add(1, std::memory_order_relaxed);
    }
    return true;
  }
  return false;
}

template <typename Store>
bool Engine<Store>::attach(ThreadState& thread_state) {
  if (thread_state.bins.get() != &kNoCacheYet || thread_state.busy.get()) {
    return false;
  }
  const BusyScope busy(thread_state);
  ThreadCache* cache = registry_.claim();
  // Not asked for again when there is none: each miss would search for one.
  thread_state.bins.set(cache != nullptr ? table_of(*cache) : const_cast<BinTable*>(&kCacheGone));
  thread_state.cache_number.set(cache != nullptr ? static_cast<uint16_t>(cache->number() + 1) : 0);
  return cache != nullptr;
}

template <typename Store>
void Engine<Store>::flush(ThreadState& thread_state) {
  if (thread_state.busy.get() || own_cache(thread_state) == nullptr) {
    return;
  }
  os::BoundedWait wait(kSecondNs);
  do {
    const BusyScope busy(thread_state);
    ThreadCache* cache = usable_cache(thread_state);
    if (cache != nullptr) {
      return cache->flush(neighbours());
    }
  } while (wait.pause());
}

template <typename Store>
void Engine<Store>::release_cache(ThreadCache& cache) {
  cache.thread_state.set(nullptr);
  cache.metered_for.set(0);
  cache.tenant.set(0);
  // relaxed: the registry hands the cache on.
  cache.drain_state.store(ThreadCache::DrainState::kNone, std::memory_order_relaxed);
  registry_.release(cache);
}

template <typename Store>
void Engine<Store>::recover_after_fork(ThreadState& survivor, bool purge_was_ours) {
  ThreadCache* const mine = own_cache(survivor);
  // A thread that did not come along may be draining it, if the fork did not wait for that.
  // relaxed, all of them here: the only thread there is.
  if (mine != nullptr && !purge_was_ours &&
      mine->drain_state.load(std::memory_order_relaxed) != ThreadCache::DrainState::kNone) {
    give_state_back(*mine);
  }
  registry_.for_each([&](ThreadCache& cache) {
    if (&cache == mine || !registry_.in_use(cache) || (purge_was_ours && leave_to_drainer(cache))) {
      return;
    }
    cache.flush(neighbours());
    release_cache(cache);
  });
  store_.recover_after_fork(purge_was_ours);
  registry_.recover_after_fork();
  arena().recover_after_fork();
}

template <typename Store>
void Engine<Store>::give_up_untouched() {
  if constexpr (requires { store_.give_up_untouched(); }) {
    if (arena().seal()) {
      store_.give_up_untouched();
      registry_.give_up_untouched();
    }
  }
}

template <typename Store>
uint64_t Engine<Store>::untouched_bytes() const {
  if constexpr (requires { store_.untouched_bytes(); }) {
    return arena().is_sealed() ? 0 : store_.untouched_bytes() + registry_.untouched_bytes();
  }
  return 0;
}

template <typename Store>
uint64_t Engine<Store>::cached_bytes_up_to(uint64_t max_bytes) const {
  uint64_t sum = 0;
  // No more than they may hold, which is known at once.
  if (static_cast<uint64_t>(std::max<int64_t>(budget_.claimed(), 0)) >= max_bytes) {
    registry_.for_each(
        [&](const ThreadCache& cache) { sum += sum < max_bytes ? cache.bytes(geometry_) : 0; });
  }
  return sum;
}

template <typename Store>
uint64_t Engine<Store>::taken_bytes() const {
  uint64_t sum = 0;
  registry_.for_each([&](const ThreadCache& cache) { sum += cache.taken_bytes(geometry_); });
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    // relaxed: a count.
    sum += uncached_[i].taken.load(std::memory_order_relaxed) * geometry_.classes[i].block_size;
  }
  return sum;
}

template <typename Store>
void Engine<Store>::sum_up(Sum (&sums)[kMaxClasses]) const {
  std::fill(std::begin(sums), std::end(sums), Sum{});
  registry_.for_each([&](const ThreadCache& cache) {
    // Most lines are in other processors' caches: all at once (bench_snapshot).
    cache.for_each_used([&cache](uint32_t i) {
      const ThreadCache::Traffic& traffic = cache.traffic(class_index(i));
      __builtin_prefetch(&cache.bins[i]);
      __builtin_prefetch(&traffic);
      __builtin_prefetch(&traffic.requested_bytes);
    });
    cache.for_each_used([&](uint32_t i) {
      const ThreadCache::Moved moved = cache.moved(class_index(i));
      const ThreadCache::Traffic& traffic = cache.traffic(class_index(i));
      Sum& sum = sums[i];
      sum.in += moved.in;
      sum.out += moved.out;
      sum.cached += moved.cached;
      sum.allocations += moved.allocations;
      sum.frees += moved.frees;
      sum.hits += moved.hits;
      sum.refills += traffic.refills.get();
      sum.spills += traffic.spills.get();
      sum.requests += traffic.requests.get();
      sum.requested_bytes += traffic.requested_bytes.get();
    });
  });
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    Sum& sum = sums[i];
    // relaxed: counts.
    const uint64_t taken = uncached_[i].taken.load(std::memory_order_relaxed);
    const uint64_t given = uncached_[i].given.load(std::memory_order_relaxed);
    sum.in += taken + uncached_[i].came.load(std::memory_order_relaxed);
    sum.out += given + uncached_[i].went.load(std::memory_order_relaxed);
    sum.allocations += taken;
    sum.frees += given;
    sum.uncached = taken + given;
  }
}

// Threads go on meanwhile: who was kept from the processor halfway through the caches has one
// thread's blocks of before and the next one's of after, and may count more than there are.
template <typename Store>
bool Engine<Store>::is_possible(const Sum (&sums)[kMaxClasses], uint64_t grown_bytes) const {
  uint64_t bytes = 0;
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    const Sum& sum = sums[i];
    bytes += std::max(difference(sum.in, sum.out), sum.cached) * geometry_.classes[i].block_size;
  }
  return bytes <= std::max(grown_bytes, store_.size_bytes());
}

template <typename Store>
void Engine<Store>::show(const Sum& sum, stats::ClassSnapshot& one) {
  one.cached = sum.cached;
  one.live = difference(difference(sum.in, sum.out), one.cached);
  one.allocations_total = sum.allocations;
  one.refills_total = sum.refills;
  one.spills_total = sum.spills;
  one.live_bytes = one.live * one.block_size;
  one.cached_bytes = one.cached * one.block_size;
  one.requested_estimate_bytes = estimate(one, sum.requests, sum.requested_bytes);
}

template <typename Store>
void Engine<Store>::collect(stats::Snapshot& snapshot) const {
  snapshot.class_count = geometry_.class_count;
  store_.collect(snapshot);
  snapshot.pool_reserved_bytes = arena().bytes();
  snapshot.cache_capacity_bytes = static_cast<uint64_t>(budget_.claimed());
  snapshot.cache_budget_bytes = static_cast<uint64_t>(budget_.limit(store_.size_bytes()));
  snapshot.metadata_bytes = store_.metadata_bytes() + registry_.metadata_bytes();
  registry_.for_each([&](const ThreadCache& cache) {
    snapshot.thread_caches += registry_.in_use(cache) ? 1U : 0U;
  });
  Sum sums[kMaxClasses];
  sum_up(sums);
  for (uint32_t again = 0; again < kMaxRecounts && !is_possible(sums, snapshot.pool_grown_bytes);
       ++again) {
    sum_up(sums);
  }
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    const Sum& sum = sums[i];
    stats::ClassSnapshot& one = snapshot.classes[i];
    one.block_size = geometry_.classes[i].block_size;
    show(sum, one);
    one.frees_total = shown_frees_[i].at_least(sum.frees);
    one.cache_hits_total = shown_hits_[i].at_least(sum.hits);
    snapshot.uncached_total += sum.uncached;
    snapshot.allocations_total += one.allocations_total;
    snapshot.frees_total += one.frees_total;
    snapshot.cache_hits_total += one.cache_hits_total;
    snapshot.refills_total += one.refills_total;
    snapshot.spills_total += one.spills_total;
    snapshot.pool_live_bytes += one.live_bytes;
    snapshot.pool_cached_bytes += one.cached_bytes;
    snapshot.requested_estimate_bytes += one.requested_estimate_bytes != stats::kUnknown
                                             ? one.requested_estimate_bytes
                                             : one.live_bytes;
  }
}

template class Engine<PageHeap>;
template class Engine<SlotStore>;

}  // namespace spillway::core
