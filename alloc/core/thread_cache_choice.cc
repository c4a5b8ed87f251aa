// What a thread gets whose bin is empty: blocks of the class with memory, a larger one, or new
// ones.
#include <algorithm>

#include "alloc/base/bits.h"
#include "alloc/base/check.h"
#include "alloc/core/thread_cache.h"

namespace spillway::core {
namespace {

// How much larger a block may be that is taken because it has memory, by the size of the pool. In
// the smallest pools the largest ones are taken first by who has the time, so that the same few
// serve all requests and the others go back to the kernel. In large pools each class has free
// blocks of its own, and what a block is larger than needed was used once and would stay in memory.
// A thread that does next to nothing with its blocks has bins that come to fit, unless they are
// mixed up.
constexpr uint64_t kSmallestPool = 16 * kMiB;
constexpr uint64_t kMediumPool = 512 * kMiB;
constexpr uint64_t kLargePool = 1024 * kMiB;
constexpr uint32_t kRoomy = 512 * kKiB;

}  // namespace

void* ThreadCache::refill(ClassIndex index, const CacheNeighbours& neighbours) {
  Bin& bin = of(index);
  SPILLWAY_DCHECK(bin.count() == 0);
  on_miss(index, Miss::kEmpty, neighbours);
  Policy& policy = policies_[raw(index)];
  policy.traffic.refills.add(1);
  if (policy.capacity == 0) {
    return take_one(index, neighbours);
  }
  void** const bottom = bin.bottom.get();
  const uint32_t wanted = std::max(1U, policy.capacity / 2);
  const Source source = source_of(index, neighbours);
  uint32_t count = 0;
  if (neighbours.geometry.of(index).fixed_bins) {
    count = take_batches(source, bottom, wanted);
  } else {
    count = take_with_memory(source, bottom, wanted);
    void* const larger = count == 0 ? take_larger(index, false, neighbours) : nullptr;
    if (larger != nullptr) {
      return larger;
    }
    count = count != 0 ? count : take_without_memory(source, bottom, wanted);
  }
  if (count == 0) {
    return nullptr;
  }
  std::reverse(bottom, bottom + count);  // the lowest address first
  order_for_signals();
  bin.top.set(bottom + count - 1);
  bin.allocations.add(1);
  return bottom[count - 1];
}

ThreadCache::Source ThreadCache::source_of(ClassIndex index, const CacheNeighbours& neighbours) {
  Central& central = neighbours.central(index);
  Policy& policy = policies_[raw(index)];
  Central::Client& client = policy.client;
  if (client.hint == kNoHint) {
    client.hint = central.start_hint(number_);
  }
  const bool apart =
      client.holder != kNobody && central.rather_apart(client) && !neighbours.fresh.are_unwanted();
  return {central, policy, neighbours.fresh, apart};
}

uint32_t ThreadCache::take_with_memory(const Source& source, void** out, uint32_t wanted) {
  Central::Client& client = source.policy.client;
  uint32_t count = client.holder != kNobody ? source.central.take_private(client, out, wanted) : 0;
  if (count == 0 && !source.apart) {
    count = source.central.take_used(client, out, wanted);
  }
  source.policy.traffic.blocks_in.add(count);
  return count;
}

uint32_t ThreadCache::take_without_memory(const Source& source, void** out, uint32_t wanted) {
  Central::Client& client = source.policy.client;
  uint32_t count = source.central.take_fresh(client, out, wanted, source.apart);
  source.fresh.add(uint64_t{count} * source.central.geometry().block_size);
  if (count == 0) {
    count = source.central.take_used(client, out, wanted);
  }
  source.policy.traffic.blocks_in.add(count);
  return count;
}

// All it wants, if there is as much; not only what is found in one place.
uint32_t ThreadCache::take_batches(const Source& source, void** out, uint32_t wanted) {
  uint32_t count = 0;
  for (uint32_t taken = 1; taken != 0 && count < wanted; count += taken) {
    const uint32_t rest = std::min(wanted - count, Central::kMostBatch);
    taken = take_with_memory(source, out + count, rest);
    taken = taken != 0 ? taken : take_without_memory(source, out + count, rest);
  }
  return count;
}

void* ThreadCache::take_one(ClassIndex index, const CacheNeighbours& neighbours) {
  const bool roomy = !pace_.is_hurried() && !neighbours.geometry.of(index).fixed_bins &&
                     neighbours.pool_size.lately() < kSmallestPool;
  void* block = roomy ? take_larger(index, true, neighbours) : nullptr;
  if (block != nullptr) {
    return block;
  }
  const Source source = source_of(index, neighbours);
  if (take_with_memory(source, &block, 1) != 0) {
    of(index).allocations.add(1);
    return block;
  }
  block = roomy ? take_roomy(index, neighbours) : take_larger(index, false, neighbours);
  if (block == nullptr && take_without_memory(source, &block, 1) != 0) {
    of(index).allocations.add(1);
  }
  return block;
}

// Room for later requests; what nobody asks for is not touched.
void* ThreadCache::take_roomy(ClassIndex index, const CacheNeighbours& neighbours) {
  const ClassIndex roomy = largest_substitute(index, true, neighbours);
  void* block = nullptr;
  if (roomy != index && take_without_memory(source_of(roomy, neighbours), &block, 1) != 0) {
    of(roomy).allocations.add(1);
  }
  return block;
}

ClassIndex ThreadCache::largest_substitute(ClassIndex index, bool roomy,
                                           const CacheNeighbours& neighbours) const {
  const Geometry& geometry = neighbours.geometry;
  const uint64_t pool = neighbours.pool_size.lately();
  const uint32_t size = geometry.of(index).block_size;
  const bool own =
      geometry.of(index).fixed_bins || (pace_.is_pressed() && !neighbours.fresh.are_unwanted());
  const uint32_t most = own                  ? size
                        : roomy              ? std::clamp(8 * size, size, std::max(size, kRoomy))
                        : pool < kMediumPool ? 2 * size
                        : pool < kLargePool  ? size / 4 * 5
                                             : size;
  uint8_t last = raw(index);
  while (last < geometry.class_count && geometry.classes[last + 1].block_size <= most) {
    ++last;
  }
  return ClassIndex{last};
}

void* ThreadCache::take_larger(ClassIndex index, bool roomy, const CacheNeighbours& neighbours) {
  const uint32_t largest = raw(largest_substitute(index, roomy, neighbours));
  const uint32_t count = largest - raw(index);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t next = roomy ? largest - i : raw(index) + 1 + i;
    void* block = take_cached_or_free(ClassIndex{static_cast<uint8_t>(next)}, neighbours);
    if (block != nullptr) {
      return block;
    }
  }
  return nullptr;
}

void* ThreadCache::take_cached_or_free(ClassIndex index, const CacheNeighbours& neighbours) {
  void* block = nullptr;
  if (!of(index).pop(block) && take_with_memory(source_of(index, neighbours), &block, 1) != 0) {
    of(index).allocations.add(1);
  }
  return block;
}

}  // namespace spillway::core
