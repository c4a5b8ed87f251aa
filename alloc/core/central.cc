#include "alloc/core/central.h"

#include <algorithm>

#include "alloc/base/check.h"
#include "alloc/base/owned_cell.h"

namespace spillway::core {

void Central::attach(Arena& arena, ClassIndex index, const ClassGeometry& geometry,
                     PoolSize& pool_size, void* freelist_memory) {
  geometry_ = &geometry;
  first_granule_ = raw(arena.first_granule(index));
  freelist_.attach(freelist_memory, geometry.slots);
  growth_.attach(arena, index, geometry, pool_size);
}

uint32_t Central::take(uint32_t& hint, Run& run, Granule* out, uint32_t wanted) {
  SPILLWAY_DCHECK(wanted <= kMostBatch);
  SlotIndex slots[kMostBatch];
  uint32_t count = freelist_.take(hint, slots, wanted);
  if (count == 0) {
    if (run.left == 0) {
      run.left = growth_.take(geometry_->run_slots, run.next);
    }
    count = std::min(wanted, run.left);
    for (uint32_t i = 0; i < count; ++i) {
      slots[i] = SlotIndex{raw(run.next) + i};
    }
    // Shorter before it moves on: a child that is forked between the two finds no more in it than
    // was there.
    run.left -= count;
    order_for_signals();
    run.next = SlotIndex{raw(run.next) + count};
  }
  std::transform(slots, slots + count, out, [this](SlotIndex slot) { return granule_of(slot); });
  return count;
}

void Central::put_run(uint32_t& hint, Run& run) {
  while (run.left != 0) {
    --run.left;
    const SlotIndex slot{raw(run.next) + run.left};
    static_cast<void>(freelist_.put(hint, &slot, 1));  // never there before: it was untouched
  }
}

Granule Central::put(uint32_t& hint, const Granule* blocks, uint32_t count) {
  SPILLWAY_DCHECK(count <= kMostBatch);
  SlotIndex slots[kMostBatch];
  std::transform(blocks, blocks + count, slots, [this](Granule block) { return slot_of(block); });
  const SlotIndex duplicate = freelist_.put(hint, slots, count);
  return duplicate == Freelist::kNoSlot ? kNoGranule : granule_of(duplicate);
}

uint32_t Central::start_hint(uint32_t newcomer) const {
  const uint32_t words_in_use = growth_.taken() / Freelist::kSlotsPerWord + 1;
  // Multiples of the golden ratio: any number of newcomers in a row is spread evenly.
  constexpr uint32_t kGoldenRatio = 0x9e3779b1;
  return static_cast<uint32_t>((uint64_t{newcomer * kGoldenRatio} * words_in_use) >> 32);
}

}  // namespace spillway::core
