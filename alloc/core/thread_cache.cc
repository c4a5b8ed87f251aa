#include "alloc/core/thread_cache.h"

#include <algorithm>

#include "alloc/base/check.h"

namespace spillway::core {
namespace {

// Misses of one thread between two looks for idle bins.
constexpr uint32_t kMissesPerAging = 64;

}  // namespace

constinit const BinTable kNoCacheYet{};
constinit const BinTable kCacheGone{};

void CacheNeighbours::put(ClassIndex index, uint32_t& hint, const Granule* blocks,
                          uint32_t count) const {
  const Granule duplicate = central(index).put(hint, blocks, count);
  if (duplicate != kNoGranule) {
    on_double_free.call(on_double_free.owner, duplicate);
  }
}

size_t ThreadCache::bytes_needed(const Geometry& geometry) {
  return sizeof(ThreadCache) + geometry.stack_entries * sizeof(Granule);
}

void ThreadCache::start(uint32_t number, const Geometry& geometry) {
  number_ = number;
  auto* stacks = reinterpret_cast<Granule*>(this + 1);
  for (uint32_t i = 1; i <= geometry.class_count; ++i) {
    Granule* stack = stacks + geometry.classes[i].stack_offset;
    bins[i].top.set(stack);
    bins[i].bottom.set(stack);
    bins[i].limit.set(stack);
  }
}

Granule ThreadCache::refill(ClassIndex index, const CacheNeighbours& neighbours) {
  age_sometimes(neighbours);
  Bin& bin = of(index);
  SPILLWAY_DCHECK(bin.count() == 0);
  Policy& policy = policies_[raw(index)];
  Central& central = neighbours.central(index);
  consider_growth(index, Miss::kEmpty, neighbours);
  if (policy.hint == kNoHint) {
    policy.hint = central.start_hint(number_);
  }
  policy.traffic.refills.add(1);
  if (policy.capacity == 0) {
    Granule block = kNoGranule;
    if (central.take(policy.hint, policy.run, &block, 1) == 0) {
      return kNoGranule;
    }
    policy.traffic.blocks_in.add(1);
    bin.allocations.add(1);
    return block;
  }
  Granule* const bottom = bin.bottom.get();
  const uint32_t count =
      central.take(policy.hint, policy.run, bottom, std::max(1U, policy.capacity / 2));
  if (count == 0) {
    return kNoGranule;
  }
  std::reverse(bottom, bottom + count);  // the lowest address first
  policy.traffic.blocks_in.add(count);
  order_for_signals();
  bin.top.set(bottom + count - 1);
  bin.allocations.add(1);
  return bottom[count - 1];
}

void ThreadCache::spill(ClassIndex index, Granule block, const CacheNeighbours& neighbours) {
  age_sometimes(neighbours);
  Bin& bin = of(index);
  Policy& policy = policies_[raw(index)];
  consider_growth(index, Miss::kFull, neighbours);
  policy.traffic.spills.add(1);
  if (policy.capacity == 0) {
    policy.traffic.blocks_out.add(1);
    neighbours.put(index, policy.hint, &block, 1);
    return;
  }
  if (!bin.push(block)) {
    give_oldest(index, std::max(1U, policy.capacity / 2), neighbours);
    bin.push(block);
  }
}

void ThreadCache::flush(const CacheNeighbours& neighbours) {
  for (uint32_t i = 1; i <= neighbours.geometry.class_count; ++i) {
    const ClassIndex index{static_cast<uint8_t>(i)};
    shrink(index, 0, neighbours);
    neighbours.central(index).put_run(policies_[i].hint, policies_[i].run);
    // The next owner starts away from others: two that walk through the same words would share the
    // cache lines of the state bytes.
    policies_[i].hint = kNoHint;
    policies_[i].last_miss = Miss::kNone;
  }
}

void ThreadCache::consider_growth(ClassIndex index, Miss miss, const CacheNeighbours& neighbours) {
  Policy& policy = policies_[raw(index)];
  const ClassGeometry& geometry = neighbours.geometry.of(index);
  const bool missed_both_ways = policy.last_miss != Miss::kNone && policy.last_miss != miss;
  policy.last_miss = miss;
  uint32_t wanted = policy.capacity;
  if (policy.capacity == 0) {
    wanted = geometry.first_capacity;
  } else if (missed_both_ways) {
    wanted = std::min(policy.capacity + geometry.capacity_step, geometry.most_capacity);
  } else if (policy.capacity < geometry.flow_capacity) {
    wanted = std::min(policy.capacity * 2, geometry.flow_capacity);
  }
  if (wanted > policy.capacity &&
      neighbours.budget.claim(uint64_t{wanted - policy.capacity} * geometry.block_size)) {
    set_capacity(index, wanted);
  }
}

void ThreadCache::set_capacity(ClassIndex index, uint32_t capacity) {
  Bin& bin = of(index);
  policies_[raw(index)].capacity = capacity;
  bin.limit.set(bin.bottom.get() + capacity);
}

void ThreadCache::give_oldest(ClassIndex index, uint32_t count, const CacheNeighbours& neighbours) {
  if (count == 0) {
    return;
  }
  Granule batch[Central::kMostBatch];
  Bin& bin = of(index);
  Policy& policy = policies_[raw(index)];
  Granule* const bottom = bin.bottom.get();
  Granule* const top = bin.top.get();
  SPILLWAY_DCHECK(count <= bin.count() && count <= Central::kMostBatch);
  std::copy(bottom, bottom + count, batch);
  // Out of the bin before into the freelist: a fork between the two loses the batch to the child
  // instead of giving it blocks that are in two places.
  bin.top.set(bottom);
  order_for_signals();
  std::copy(bottom + count, top, bottom);
  order_for_signals();
  bin.top.set(top - count);
  policy.traffic.blocks_out.add(count);
  neighbours.put(index, policy.hint, batch, count);
}

void ThreadCache::shrink(ClassIndex index, uint32_t capacity, const CacheNeighbours& neighbours) {
  Policy& policy = policies_[raw(index)];
  if (capacity >= policy.capacity) {
    return;
  }
  const uint32_t count = of(index).count();
  give_oldest(index, count > capacity ? count - capacity : 0, neighbours);
  neighbours.budget.give_back(uint64_t{policy.capacity - capacity} *
                              neighbours.geometry.of(index).block_size);
  set_capacity(index, capacity);
}

void ThreadCache::age_sometimes(const CacheNeighbours& neighbours) {
  if (++misses_ % kMissesPerAging != 0) {
    return;
  }
  for (uint32_t i = 1; i <= neighbours.geometry.class_count; ++i) {
    Policy& policy = policies_[i];
    const bool idle = policy.capacity != 0 && bins[i].top.get() == policy.seen_top &&
                      bins[i].allocations.get() == policy.seen_allocations;
    if (idle && policy.was_idle) {
      shrink(ClassIndex{static_cast<uint8_t>(i)}, policy.capacity / 2, neighbours);
    }
    policy.was_idle = idle;
    policy.seen_top = bins[i].top.get();
    policy.seen_allocations = bins[i].allocations.get();
  }
}

}  // namespace spillway::core
