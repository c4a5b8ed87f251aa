// SPDX-License-Identifier: MIT
#include "alloc/core/thread_cache.h"

#include <algorithm>

#include "alloc/base/check.h"
#include "alloc/core/page_heap.h"
#include "alloc/core/slot_store.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

// Misses of one thread between two looks at the clock, and at idle bins.
constexpr uint32_t kMissesPerLook = 16;
constexpr uint32_t kMissesPerAging = 64;
// A fixed bin of fewer blocks than this stays full when a block is too many.
constexpr uint32_t kMinBatching = 4;

}  // namespace

constinit const BinTable kNoCacheYet{};
constinit const BinTable kCacheDraining{};
constinit const BinTable kCacheMetered{};
constinit const BinTable kCacheGone{};

size_t ThreadCache::bytes_needed(const Geometry& geometry) {
  return sizeof(ThreadCache) + geometry.stack_entries * sizeof(void*);
}

void ThreadCache::start(uint32_t number, const Geometry& geometry) {
  number_ = number;
  auto** stacks = reinterpret_cast<void**>(this + 1);
  for (uint32_t i = 1; i <= geometry.class_count; ++i) {
    void** stack = stacks + geometry.classes[i].stack_offset;
    bins[i].top.set(stack);
    bins[i].bottom.set(stack);
    bins[i].limit.set(stack);
  }
}

template <typename Store>
uint32_t ThreadCache::take(ClassIndex index, void** out, uint32_t wanted,
                           const CacheNeighbours<Store>& neighbours) {
  Policy& policy = policies_[raw(index)];
  const uint32_t count = neighbours.store.take(index, policy.hint, out, wanted);
  policy.traffic.blocks_in.add(count);
  return count;
}

template <typename Store>
void* ThreadCache::refill(ClassIndex index, const CacheNeighbours<Store>& neighbours) {
  Bin& bin = of(index);
  SPILLWAY_DCHECK(bin.count() == 0);
  on_miss(index, Miss::kEmpty, neighbours);
  Policy& policy = policies_[raw(index)];
  policy.traffic.refills.add(1);
  if (policy.capacity == 0) {
    void* block = nullptr;
    const uint32_t count = take(index, &block, 1, neighbours);
    bin.allocations.add(count);
    policy.traffic.refills_refused.add(1 - count);
    return block;
  }
  void** const bottom = bin.bottom.get();
  const uint32_t count = take(index, bottom, std::max(1U, policy.capacity / 2), neighbours);
  if (count == 0) {
    policy.traffic.refills_refused.add(1);
    return nullptr;
  }
  std::reverse(bottom, bottom + count);  // the lowest address first
  order_for_signals();
  bin.top.set(bottom + count - 1);
  bin.allocations.add(1);
  return bottom[count - 1];
}

template <typename Store>
uint32_t ThreadCache::spill(ClassIndex index, void* block,
                            const CacheNeighbours<Store>& neighbours) {
  Bin& bin = of(index);
  Policy& policy = policies_[raw(index)];
  on_miss(index, Miss::kFull, neighbours);
  policy.traffic.spills.add(1);
  if (policy.capacity != 0 && bin.push(block)) {
    return 0;
  }
  if (policy.capacity == 0 ||
      (policy.capacity < kMinBatching && neighbours.geometry.of(index).fixed_bins)) {
    policy.traffic.blocks_out.add(1);
    neighbours.put(index, policy.hint, &block, 1);
    return 1;
  }
  const uint32_t given = std::max(1U, policy.capacity / 2);
  give_oldest(index, given, neighbours);
  bin.push(block);
  return given;
}

template <typename Store>
void ThreadCache::flush(const CacheNeighbours<Store>& neighbours) {
  for_each_used([&](uint32_t i) {
    const ClassIndex index{static_cast<uint8_t>(i)};
    Policy& policy = policies_[i];
    shrink(index, 0, neighbours);
    // Where the next owner starts is decided anew.
    policy.hint = kNoHint;
    policy.last_miss = Miss::kNone;
  });
  rate_.forget();
}

template <typename Store>
bool ThreadCache::needs_relaxing(const CacheNeighbours<Store>& neighbours, uint64_t now_ns) {
  const Geometry& geometry = neighbours.geometry;
  const AllocationRate::Given now_given = given(geometry);
  const uint64_t ns = now_ns - relaxed_at_ns_;
  const uint64_t blocks = now_given.blocks - relaxed_given_.blocks;
  const bool first_look = relaxed_at_ns_ == 0;
  const bool fast = AllocationRate::is_fast_rate(now_given.bytes - relaxed_given_.bytes, ns);
  worked_ = AllocationRate::is_busy_rate(blocks, ns);
  slept_ = !first_look && blocks == 0 && misses_.get() == relaxed_misses_;
  relaxed_given_ = now_given;
  relaxed_misses_ = misses_.get();
  relaxed_at_ns_ = now_ns;
  if (first_look || fast) {
    return false;
  }
  bool much = false;
  for_each_used([&](uint32_t i) {
    const auto capacity = static_cast<uint32_t>(bins[i].limit.get() - bins[i].bottom.get());
    const ClassGeometry& one = geometry.classes[i];
    const uint32_t awake = worked_ ? one.busy_capacity : one.first_capacity;
    much = much || capacity > (slept_ ? 0 : awake);
  });
  return much;
}

template <typename Store>
void ThreadCache::relax(const CacheNeighbours<Store>& neighbours) {
  if (slept_) {
    flush(neighbours);
  } else {
    // Bins that fit are never missed: what their thread is like shows only here.
    rate_.slow_down(worked_);
    age(neighbours);
  }
}

bool ThreadCache::holds_anything() const {
  bool anything = false;
  for_each_used([&](uint32_t i) { anything |= bins[i].limit.get() != bins[i].bottom.get(); });
  return anything;
}

uint64_t ThreadCache::bytes(const Geometry& geometry) const {
  uint64_t sum = 0;
  for_each_used(
      [&](uint32_t i) { sum += bins[i].count() * uint64_t{geometry.classes[i].block_size}; });
  return sum;
}

uint64_t ThreadCache::taken_bytes(const Geometry& geometry) const {
  uint64_t sum = 0;
  for_each_used([&](uint32_t i) {
    sum += policies_[i].traffic.blocks_in.get() * geometry.classes[i].block_size;
  });
  return sum;
}

template <typename Store>
void ThreadCache::on_miss(ClassIndex index, Miss miss, const CacheNeighbours<Store>& neighbours) {
  const uint32_t before = misses_.get();
  misses_.set(before + 1);
  OwnedCell<uint64_t>& used = used_[raw(index) / kUsedBits];
  used.set(used.get() | uint64_t{1} << raw(index) % kUsedBits);
  Policy& policy = policies_[raw(index)];
  if (policy.hint == kNoHint) {
    policy.hint = neighbours.store.start_hint(index, number_);
  }
  if (neighbours.geometry.of(index).fixed_bins) {
    return consider_growth(index, miss, neighbours);  // at any rate
  }
  if (before % kMissesPerLook == 0) {
    rate_.look(os::monotonic_ns(), given(neighbours.geometry));
    if (before % kMissesPerAging == 0) {
      age(neighbours);
    }
  }
  consider_growth(index, miss, neighbours);
}

uint32_t ThreadCache::wanted_capacity(const Policy& policy, const ClassGeometry& geometry,
                                      bool missed_both_ways) const {
  if (!rate_.is_busy() || geometry.fixed_bins) {
    return geometry.first_capacity;
  }
  if (!rate_.is_fast()) {
    return missed_both_ways ? std::min(policy.capacity + 1, geometry.busy_capacity)
                            : geometry.first_capacity;
  }
  if (policy.capacity == 0) {
    return std::max(1U, geometry.first_capacity);
  }
  if (missed_both_ways) {
    return std::min(policy.capacity + geometry.capacity_step, geometry.max_capacity);
  }
  return std::min(policy.capacity * 2, geometry.flow_capacity);
}

template <typename Store>
void ThreadCache::consider_growth(ClassIndex index, Miss miss,
                                  const CacheNeighbours<Store>& neighbours) {
  Policy& policy = policies_[raw(index)];
  const ClassGeometry& geometry = neighbours.geometry.of(index);
  const bool missed_both_ways = policy.last_miss != Miss::kNone && policy.last_miss != miss;
  policy.last_miss = miss;
  const uint32_t wanted = wanted_capacity(policy, geometry, missed_both_ways);
  if (wanted > policy.capacity &&
      neighbours.budget.claim(uint64_t{wanted - policy.capacity} * geometry.block_size,
                              neighbours.store.size_bytes())) {
    set_capacity(index, wanted);
  }
}

void ThreadCache::set_capacity(ClassIndex index, uint32_t capacity) {
  Bin& bin = of(index);
  policies_[raw(index)].capacity = capacity;
  bin.limit.set(bin.bottom.get() + capacity);
}

template <typename Store>
void ThreadCache::give_oldest(ClassIndex index, uint32_t count,
                              const CacheNeighbours<Store>& neighbours) {
  for (; count > kMaxBatch; count -= kMaxBatch) {
    give_oldest(index, kMaxBatch, neighbours);
  }
  if (count == 0) {
    return;
  }
  void* batch[kMaxBatch];
  Bin& bin = of(index);
  Policy& policy = policies_[raw(index)];
  void** const bottom = bin.bottom.get();
  void** const top = bin.top.get();
  SPILLWAY_DCHECK(count <= bin.count() && count <= kMaxBatch);
  std::copy(bottom, bottom + count, batch);
  // Out of the bin before into the store: a fork between the two loses the batch to the child
  // instead of giving it blocks that are in two places.
  bin.top.set(bottom);
  order_for_signals();
  std::copy(bottom + count, top, bottom);
  order_for_signals();
  bin.top.set(top - count);
  policy.traffic.blocks_out.add(count);
  neighbours.put(index, policy.hint, batch, count);
}

template <typename Store>
void ThreadCache::shrink(ClassIndex index, uint32_t capacity,
                         const CacheNeighbours<Store>& neighbours) {
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

template <typename Store>
void ThreadCache::age(const CacheNeighbours<Store>& neighbours) {
  for_each_used([&](uint32_t i) {
    Policy& policy = policies_[i];
    const ClassGeometry& geometry = neighbours.geometry.classes[i];
    const uint32_t slow = rate_.is_busy() ? geometry.busy_capacity : geometry.first_capacity;
    const bool idle = policy.capacity != 0 && bins[i].top.get() == policy.seen_top &&
                      bins[i].allocations.get() == policy.seen_allocations;
    if (idle && policy.was_idle) {
      shrink(ClassIndex{static_cast<uint8_t>(i)}, policy.capacity / 2, neighbours);
    } else if (!rate_.is_fast() && policy.capacity > slow) {
      shrink(ClassIndex{static_cast<uint8_t>(i)}, std::max(slow, policy.capacity / 2), neighbours);
    }
    policy.was_idle = idle;
    policy.seen_top = bins[i].top.get();
    policy.seen_allocations = bins[i].allocations.get();
  });
}

AllocationRate::Given ThreadCache::given(const Geometry& geometry) const {
  AllocationRate::Given sum;
  for_each_used([&](uint32_t i) {
    sum.blocks += bins[i].allocations.get();
    sum.bytes += bins[i].allocations.get() * geometry.classes[i].block_size;
  });
  return sum;
}

template void* ThreadCache::refill(ClassIndex, const CacheNeighbours<PageHeap>&);
template uint32_t ThreadCache::spill(ClassIndex, void*, const CacheNeighbours<PageHeap>&);
template void ThreadCache::flush(const CacheNeighbours<PageHeap>&);
template bool ThreadCache::needs_relaxing(const CacheNeighbours<PageHeap>&, uint64_t);
template void ThreadCache::relax(const CacheNeighbours<PageHeap>&);
template void* ThreadCache::refill(ClassIndex, const CacheNeighbours<SlotStore>&);
template uint32_t ThreadCache::spill(ClassIndex, void*, const CacheNeighbours<SlotStore>&);
template void ThreadCache::flush(const CacheNeighbours<SlotStore>&);
template bool ThreadCache::needs_relaxing(const CacheNeighbours<SlotStore>&, uint64_t);
template void ThreadCache::relax(const CacheNeighbours<SlotStore>&);

}  // namespace spillway::core
