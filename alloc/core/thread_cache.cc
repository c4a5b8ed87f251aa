#include "alloc/core/thread_cache.h"

#include <algorithm>

#include "alloc/base/check.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

// Misses of one thread between two looks at the clock, and at idle bins.
constexpr uint32_t kMissesPerLook = 16;
constexpr uint32_t kMissesPerAging = 64;
// A fixed bin of fewer blocks than this stays full when a block is too many.
constexpr uint32_t kLeastBatching = 4;

}  // namespace

constinit const BinTable kNoCacheYet{};
constinit const BinTable kCacheLent{};
constinit const BinTable kCacheMetered{};
constinit const BinTable kCacheGone{};

void CacheNeighbours::put(ClassIndex index, Central::Client& client, void* const* blocks,
                          uint32_t count) const {
  void* const duplicate = central(index).put(client, blocks, count);
  if (duplicate != nullptr) {
    on_double_free.call(on_double_free.owner, duplicate);
  }
}

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
    const bool grouped = !geometry.classes[i].fixed_bins;
    policies_[i].client.holder = grouped ? static_cast<Holder>(number + 1) : kNobody;
  }
}

uint32_t ThreadCache::spill(ClassIndex index, void* block, const CacheNeighbours& neighbours) {
  Bin& bin = of(index);
  Policy& policy = policies_[raw(index)];
  on_miss(index, Miss::kFull, neighbours);
  policy.traffic.spills.add(1);
  if (policy.capacity != 0 && bin.push(block)) {
    return 0;
  }
  if (policy.capacity == 0 ||
      (policy.capacity < kLeastBatching && neighbours.geometry.of(index).fixed_bins)) {
    policy.traffic.blocks_out.add(1);
    neighbours.put(index, policy.client, &block, 1);
    return 1;
  }
  const uint32_t given = std::max(1U, policy.capacity / 2);
  give_oldest(index, given, neighbours);
  bin.push(block);
  return given;
}

void ThreadCache::flush(const CacheNeighbours& neighbours) {
  for (uint32_t i = 1; i <= neighbours.geometry.class_count; ++i) {
    const ClassIndex index{static_cast<uint8_t>(i)};
    Policy& policy = policies_[i];
    shrink(index, 0, neighbours);
    neighbours.central(index).put_run(policy.client);
    policy.client.private_runs = 0;
    policy.client.needed_runs = 0;
    // Where the next owner starts is decided anew.
    policy.client.hint = kNoHint;
    policy.last_miss = Miss::kNone;
  }
  pace_.forget();
}

bool ThreadCache::needs_relaxing(const CacheNeighbours& neighbours, uint64_t now_ns) {
  const Geometry& geometry = neighbours.geometry;
  const uint64_t moved = blocks_moved(geometry);
  const uint64_t since = moved - relaxed_moved_;
  const bool first_look = relaxed_at_ns_ == 0;
  const bool hurried = Pace::is_hurry(since, now_ns - relaxed_at_ns_, neighbours.company());
  slept_ = !first_look && since == 0 && misses_.get() == relaxed_misses_;
  relaxed_moved_ = moved;
  relaxed_misses_ = misses_.get();
  relaxed_at_ns_ = now_ns;
  if (first_look || hurried) {
    return false;
  }
  for (uint32_t i = 1; i <= geometry.class_count; ++i) {
    const auto capacity = static_cast<uint32_t>(bins[i].limit.get() - bins[i].bottom.get());
    if (capacity > (slept_ ? 0 : geometry.classes[i].first_capacity)) {
      return true;
    }
  }
  return false;
}

void ThreadCache::relax(const CacheNeighbours& neighbours) {
  if (slept_) {
    flush(neighbours);
  } else {
    // Bins that fit are never missed: what their thread is like shows only here.
    pace_.calm_down();
    age(neighbours);
  }
  // What went out here is no work of the thread's.
  relaxed_moved_ = blocks_moved(neighbours.geometry);
}

bool ThreadCache::holds_anything(const Geometry& geometry) const {
  for (uint32_t i = 1; i <= geometry.class_count; ++i) {
    if (bins[i].limit.get() != bins[i].bottom.get()) {
      return true;
    }
  }
  return false;
}

uint64_t ThreadCache::bytes(const Geometry& geometry) const {
  uint64_t sum = 0;
  for (uint32_t i = 1; i <= geometry.class_count; ++i) {
    sum += bins[i].count() * uint64_t{geometry.classes[i].block_size};
  }
  return sum;
}

void ThreadCache::on_miss(ClassIndex index, Miss miss, const CacheNeighbours& neighbours) {
  const uint32_t before = misses_.get();
  misses_.set(before + 1);
  if (neighbours.geometry.of(index).fixed_bins) {
    return consider_growth(index, miss, neighbours);  // whatever the pace
  }
  if (pace_.found_company(neighbours.company())) {
    pace_.calm_down();
    for (uint32_t i = 1; i <= neighbours.geometry.class_count; ++i) {
      shrink(ClassIndex{static_cast<uint8_t>(i)}, neighbours.geometry.classes[i].first_capacity,
             neighbours);
    }
  }
  if (before % kMissesPerLook == 0) {
    pace_.look(os::monotonic_ns(), blocks_moved(neighbours.geometry), neighbours.company());
    if (before % kMissesPerAging == 0) {
      age(neighbours);
      pace_.pass_over(blocks_moved(neighbours.geometry));
    }
  }
  consider_growth(index, miss, neighbours);
}

uint32_t ThreadCache::wanted_capacity(const Policy& policy, const ClassGeometry& geometry,
                                      bool missed_both_ways) const {
  if (!pace_.is_hurried() || geometry.fixed_bins) {
    return geometry.first_capacity;
  }
  if (policy.capacity == 0) {
    return std::max(1U, geometry.first_capacity);
  }
  if (missed_both_ways) {
    return std::min(policy.capacity + geometry.capacity_step, geometry.most_capacity);
  }
  return std::min(policy.capacity * 2, geometry.flow_capacity);
}

void ThreadCache::consider_growth(ClassIndex index, Miss miss, const CacheNeighbours& neighbours) {
  Policy& policy = policies_[raw(index)];
  const ClassGeometry& geometry = neighbours.geometry.of(index);
  const bool missed_both_ways = policy.last_miss != Miss::kNone && policy.last_miss != miss;
  policy.last_miss = miss;
  policy.client.keeps_apart = pace_.is_hurried();
  const uint32_t wanted = wanted_capacity(policy, geometry, missed_both_ways);
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
  for (; count > Central::kMostBatch; count -= Central::kMostBatch) {
    give_oldest(index, Central::kMostBatch, neighbours);
  }
  if (count == 0) {
    return;
  }
  void* batch[Central::kMostBatch];
  Bin& bin = of(index);
  Policy& policy = policies_[raw(index)];
  void** const bottom = bin.bottom.get();
  void** const top = bin.top.get();
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
  neighbours.put(index, policy.client, batch, count);
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

void ThreadCache::age(const CacheNeighbours& neighbours) {
  for (uint32_t i = 1; i <= neighbours.geometry.class_count; ++i) {
    Policy& policy = policies_[i];
    const uint32_t unhurried = neighbours.geometry.classes[i].first_capacity;
    const bool idle = policy.capacity != 0 && bins[i].top.get() == policy.seen_top &&
                      bins[i].allocations.get() == policy.seen_allocations;
    if (idle && policy.was_idle) {
      shrink(ClassIndex{static_cast<uint8_t>(i)}, policy.capacity / 2, neighbours);
    } else if (!pace_.is_hurried() && policy.capacity > unhurried) {
      shrink(ClassIndex{static_cast<uint8_t>(i)}, std::max(unhurried, policy.capacity / 2),
             neighbours);
    }
    policy.was_idle = idle;
    policy.seen_top = bins[i].top.get();
    policy.seen_allocations = bins[i].allocations.get();
  }
}

uint64_t ThreadCache::blocks_moved(const Geometry& geometry) const {
  uint64_t sum = 0;
  for (uint32_t i = 1; i <= geometry.class_count; ++i) {
    // Of the blocks that were only freed here, those that went on to others.
    sum += bins[i].allocations.get() + policies_[i].traffic.blocks_out.get();
  }
  return sum;
}

}  // namespace spillway::core
