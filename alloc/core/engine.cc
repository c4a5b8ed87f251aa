#include "alloc/core/engine.h"

#include "alloc/base/bits.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

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
  if (!arena_.reserve(static_cast<uint32_t>(config.block_sizes.size()), config.most_span_bytes,
                      config.least_span_bytes)) {
    return false;
  }
  geometry_ = make_geometry(config.block_sizes, arena_.span_bytes());
  if (!reserve_freelists()) {
    arena_.release();
    return false;
  }
  budget_.configure(config.cache_budget, pool_size_);
  registry_.reserve(geometry_, config.most_threads);
  return true;
}

bool Engine::reserve_freelists() {
  size_t bytes = 0;
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    bytes += Freelist::bytes_needed(geometry_.classes[i].slots);
  }
  freelist_bytes_ = align_up(bytes, os::page_size());
  freelist_memory_ = os::reserve(freelist_bytes_, os::Access::kReadWrite, nullptr);
  if (freelist_memory_ == nullptr) {
    return false;
  }
  auto* memory = static_cast<char*>(freelist_memory_);
  for (uint32_t i = 1; i <= geometry_.class_count; ++i) {
    centrals_[i].attach(arena_, class_index(i), geometry_.classes[i], pool_size_, memory);
    memory += Freelist::bytes_needed(geometry_.classes[i].slots);
  }
  return true;
}

void Engine::stop() {
  registry_.release_memory();
  os::release(freelist_memory_, freelist_bytes_);
  arena_.release();
}

ThreadCache* Engine::cache_of(const ThreadAnchor& anchor) {
  BinTable* bins = anchor.bins.get();
  return bins == &kNoCacheYet || bins == &kCacheGone ? nullptr : static_cast<ThreadCache*>(bins);
}

Granule Engine::take(ThreadAnchor& anchor, ClassIndex index) {
  ThreadCache* cache = cache_of(anchor);
  if (cache != nullptr && !anchor.busy.get()) {
    const BusyScope busy(anchor);
    return cache->refill(index, neighbours());
  }
  uint32_t hint = 0;
  Granule block = kNoGranule;
  Central::Run run;
  if (central(index).take(hint, run, &block, 1) == 0) {
    return kNoGranule;
  }
  central(index).put_run(hint, run);
  // relaxed: a count.
  uncached_[raw(index)].taken.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void Engine::give(ThreadAnchor& anchor, ClassIndex index, Granule block) {
  ThreadCache* cache = cache_of(anchor);
  if (cache != nullptr && !anchor.busy.get()) {
    const BusyScope busy(anchor);
    cache->spill(index, block, neighbours());
    return;
  }
  uint32_t hint = 0;
  // relaxed: a count.
  uncached_[raw(index)].given.fetch_add(1, std::memory_order_relaxed);
  neighbours().put(index, hint, &block, 1);
}

bool Engine::attach(ThreadAnchor& anchor) {
  if (anchor.bins.get() != &kNoCacheYet || anchor.busy.get()) {
    return false;
  }
  const BusyScope busy(anchor);
  ThreadCache* cache = registry_.claim();
  // Not asked for again when there is none: each miss would search for one.
  anchor.bins.set(cache != nullptr ? cache : const_cast<BinTable*>(&kCacheGone));
  return cache != nullptr;
}

void Engine::detach(ThreadAnchor& anchor) {
  ThreadCache* cache = cache_of(anchor);
  {
    const BusyScope busy(anchor);
    anchor.bins.set(const_cast<BinTable*>(&kCacheGone));
    if (cache != nullptr) {
      cache->flush(neighbours());
    }
  }
  if (cache != nullptr) {
    registry_.release(*cache);
  }
}

void Engine::flush(ThreadAnchor& anchor) {
  ThreadCache* cache = cache_of(anchor);
  if (cache != nullptr && !anchor.busy.get()) {
    const BusyScope busy(anchor);
    cache->flush(neighbours());
  }
}

void Engine::recover_after_fork(const ThreadAnchor& survivor) {
  const ThreadCache* mine = cache_of(survivor);
  registry_.for_each([this, mine](ThreadCache& cache) {
    if (&cache != mine && registry_.in_use(cache)) {
      cache.flush(neighbours());
      registry_.release(cache);
    }
  });
}

void Engine::collect(stats::Snapshot& snapshot) const {
  snapshot.class_count = geometry_.class_count;
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
    one.allocations_total += taken;
    snapshot.uncached_total += taken + given;
    snapshot.allocations_total += one.allocations_total;
    snapshot.pool_committed_bytes += centrals_[i].committed() * uint64_t{one.block_size};
    snapshot.pool_grown_bytes += one.grown * one.block_size;
    snapshot.pool_live_bytes += one.live * one.block_size;
    snapshot.pool_cached_bytes += one.cached * one.block_size;
    snapshot.pool_free_bytes += one.free * one.block_size;
  }
}

}  // namespace spillway::core
