// calloc, memalign, malloc_usable_size and sized free over the heap's two halves.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "alloc/base/bits.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/misuse.h"

namespace spillway::heap {
namespace {

// The block of a slot from the slot's start on, which is page-aligned; it is a plain live block.
void* uncoloured(void* block) {
  return reinterpret_cast<void*>(align_down(reinterpret_cast<uintptr_t>(block), kGranuleSize));
}

// A block for a request in the window, not yet marked live, or null.
void* take_unmarked(size_t size) {
  void* block = nullptr;
  return pop_block(class_of(size), block) ? block : take_pooled_slow(size);
}

// Bytes that a slot needs to have for such a block. Slots start at granules: what is lost in front
// of the block is the rest of the alignment at most.
size_t room_for(size_t alignment, size_t size) {
  return alignment > kGranuleSize ? size + alignment - kGranuleSize : align_up(size, alignment);
}

// A block that starts inside its slot, for alignments that no slot has of itself.
void* allocate_inside(size_t alignment, size_t size) {
  const size_t room = room_for(alignment, size);
  if (!is_pooled_size(room)) {
    return nullptr;
  }
  void* slot = take_unmarked(room);
  if (slot == nullptr) {
    return nullptr;
  }
  const core::Arena& arena = heap.engine.arena();
  slot = uncoloured(slot);
  void* block = reinterpret_cast<void*>(align_up(reinterpret_cast<uintptr_t>(slot), alignment));
  if (block == slot) {
    mark_live(block);
  } else {
    arena.state(arena.granule_at(arena.offset(slot))).store(core::SlotState::kFree);
    arena.state(arena.granule_at(arena.offset(block))).store(core::SlotState::kLiveInside);
  }
  return block;
}

void* allocate_aligned_pooled(size_t alignment, size_t size) {
  if (alignment > kGranuleSize) {
    return allocate_inside(alignment, size);
  }
  // Every slot starts at a granule, every block at a line.
  void* block = take_unmarked(room_for(alignment, size));
  if (block != nullptr) {
    block = alignment > core::kLineSize ? uncoloured(block) : block;
    mark_live(block);
  }
  return block;
}

// Of what is not a plain live block: one that starts behind its slot's first granule, as aligned
// ones may, or none.
SPILLWAY_NOINLINE size_t usable_inside(size_t offset) {
  const core::Engine& engine = heap.engine;
  const core::Arena& arena = engine.arena();
  const Granule granule = arena.granule_at(offset);
  if (engine.is_large(granule) || arena.state(granule).load() != core::SlotState::kLiveInside ||
      core::inside_granule(offset) != 0) {
    return 0;
  }
  const size_t in_front = offset - arena.offset(arena.address(engine.slot_start(granule)));
  return engine.geometry().of(arena.class_of(granule)).block_size - in_front;
}

}  // namespace

void* allocate_zeroed(size_t size) {
  if (!is_pooled_size(size)) {
    if (SPILLWAY_UNLIKELY(size > PTRDIFF_MAX || (size > config::kMaxPooledSize && !admit(size)))) {
      return out_of_memory();
    }
    void* large = size > config::kMaxPooledSize
                      ? take_large(size, core::LargeBlocks::Use::kZeroed, false)
                      : nullptr;
    return large != nullptr ? large : fallback::allocate_zeroed(size);
  }
  void* block;
  if (SPILLWAY_UNLIKELY(!pop_block(class_of(size), block))) {
    return allocate_zeroed_slow(size);
  }
  return zero_and_mark_live(block, size);
}

void* zero_and_mark_live(void* block, size_t size) {
  const core::Arena& arena = heap.engine.arena();
  const bool clean = arena.state_at(arena.offset(block)).load() == core::SlotState::kClean;
  mark_live(block);
  return clean ? block : std::memset(block, 0, size);
}

// Slots of large blocks are aligned to whatever their length; for smaller ones, where no class has
// room for the block and its alignment.
SPILLWAY_COLD static void* allocate_aligned_slow(size_t alignment, size_t size) {
  const bool too_long =
      size > config::kMaxPooledSize ||
      (is_pooled_size(size) && room_for(alignment, size) > config::kMaxPooledSize);
  void* large = too_long && alignment <= core::Arena::kSpanAlignment
                    ? take_large(size, core::LargeBlocks::Use::kAny, true)
                    : nullptr;
  return large != nullptr ? large : fallback::allocate_aligned(alignment, size);
}

void* allocate_aligned(size_t alignment, size_t size) {
  if (size > PTRDIFF_MAX || alignment > PTRDIFF_MAX ||
      (size >= config::kMinPooledSize && !admit(size))) {
    return out_of_memory();
  }
  const size_t rounded = align_up(std::max<size_t>(size, 1), alignment);
  if (is_pooled_size(rounded) && (alignment >= kGranuleSize || is_pooled_size(size))) {
    void* pooled = allocate_aligned_pooled(alignment, std::max<size_t>(size, 1));
    if (pooled != nullptr) {
      return pooled;
    }
  }
  return allocate_aligned_slow(alignment, size);
}

// Neither the arena's nor near the fallback's blocks.
SPILLWAY_COLD static size_t usable_far(const void* pointer) {
  if (pointer == nullptr) {
    return 0;
  }
  if (!fallback::may_hold(pointer)) {
    report_foreign(Misuse::kUsableSize, pointer);
    return 0;
  }
  return fallback::usable_size(pointer);
}

size_t usable_size(const void* pointer) {
  const core::Arena& arena = heap.engine.arena();
  if (!arena.owns(pointer)) {
    return fallback::is_near(pointer) ? fallback::usable_size(pointer) : usable_far(pointer);
  }
  const size_t offset = arena.offset(pointer);
  const size_t span = arena.span_at(offset);
  if (!core::is_live_at(arena.state_at(offset).load(), core::inside_granule(offset))) {
    return usable_inside(offset);
  }
  return heap.engine.large().owns_span(span) ? heap.engine.large().usable(pointer)
                                             : heap.engine.geometry().classes[span + 1].block_size;
}

SPILLWAY_COLD void note_odd_size(const void* pointer, size_t size) {
  if (size < config::kMinPooledSize || size > usable_size(pointer)) {
    counters.size_mismatches.add();
  }
}

}  // namespace spillway::heap
