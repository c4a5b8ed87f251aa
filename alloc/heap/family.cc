// SPDX-License-Identifier: MIT
// calloc, memalign, malloc_usable_size and sized free over the heap's two halves.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "alloc/base/bits.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/hardening.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/maintenance.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/heap/watched.h"
#include "alloc/mimalloc/other_heap.h"

namespace spillway::heap {
namespace {

// Blocks start at a line, and those that are not coloured at a grain.
bool is_aligned_anyway(size_t alignment, size_t size) {
  return alignment <= core::kLineSize || (alignment <= core::kGrainSize && size <= kMaxPlainSize);
}

// One of the last blocks that this thread freed, if that will do.
bool pop_aligned(size_t alignment, ClassIndex index, void*& block) {
  if (thread_state.busy.get()) {
    return false;
  }
  const core::BusyScope busy(thread_state);
  return thread_state.table().of(index).pop_aligned(alignment, block);
}

// Apart, as reallocate_unpooled().
SPILLWAY_COLD void* take_aligned_slow(size_t alignment, size_t size) {
  if (!ensure_started() || class_of(size) == kNoClass) {
    return nullptr;
  }
  if (void* const sampled = take_guarded({.size = size, .alignment = alignment})) {
    return sampled;
  }
  void* const block = heap.engine.take_aligned(class_of(size), alignment);
  note_slow_path(0);
  if (block != nullptr) {
    mark_handed_out(block, size);
  }
  return block;
}

// Of one that is aligned anyway.
SPILLWAY_COLD void* take_any_slow(size_t size) {
  void* const block = take_pooled_slow(size);
  if (block != nullptr) {
    mark_handed_out(block, size);
  }
  return block;
}

void* allocate_aligned_pooled(size_t alignment, size_t size) {
  void* block = nullptr;
  if (is_aligned_anyway(alignment, size)) {
    if (!pop_block(class_of(size), block)) {
      return take_any_slow(size);
    }
  } else if (!pop_aligned(alignment, class_of(size), block)) {
    return take_aligned_slow(alignment, size);
  }
  mark_live(block);
  return block;
}

// Above the pooled window.
SPILLWAY_COLD void* allocate_zeroed_large(size_t size) {
  if (size >= kImpossibleSize || !admit(size)) {
    return out_of_memory();
  }
  if (void* const block = take_guarded({.size = size, .zeroed = true})) {
    return block;
  }
  void* block = take_large(size, 1);
  if (block == nullptr) {
    note_unwatched(size);
    return mimalloc::allocate_zeroed(size);
  }
  heap.engine.store().clear(block, size);
  return block;
}

}  // namespace

void* allocate_zeroed(size_t size) {
  if (!is_pooled_size(size)) {
    return size > config::kMaxPooledSize ? allocate_zeroed_large(size)
                                         : mimalloc::allocate_zeroed(size);
  }
  void* block;
  if (SPILLWAY_UNLIKELY(!pop_block(class_of(size), block))) {
    return allocate_zeroed_slow(size);
  }
  const bool clean = is_clean(block);
  mark_live(block);
  return clean ? block : std::memset(block, 0, size);
}

SPILLWAY_COLD static void* allocate_aligned_slow(size_t alignment, size_t size) {
  if ((size | alignment) >= kImpossibleSize) {
    return out_of_memory();
  }
  if (void* const block = take_guarded({.size = size, .alignment = alignment})) {
    return block;
  }
  if (void* const block = sample_small_aligned(alignment, size)) {
    return block;
  }
  void* large = size > config::kMaxPooledSize ? take_large(size, alignment) : nullptr;
  if (large == nullptr) {
    note_unwatched(size);
    return mimalloc::allocate_aligned(alignment, size);
  }
  return large;
}

void* allocate_aligned(size_t alignment, size_t size) {
  static_assert(config::kMinPooledSize == kGranuleSize && is_power_of_two(kGranuleSize));
  if (size > PTRDIFF_MAX || alignment > PTRDIFF_MAX ||
      ((size | alignment) >= kGranuleSize && !admit(size))) {
    return out_of_memory();
  }
  // A whole page or more is what takes a block of mimalloc anyway.
  const size_t wanted = alignment >= kGranuleSize ? std::max(size, config::kMinPooledSize) : size;
  if (is_pooled_size(wanted) && alignment <= core::kChunkSize) {
    void* pooled = allocate_aligned_pooled(alignment, wanted);
    if (pooled != nullptr) {
      return pooled;
    }
  }
  return allocate_aligned_slow(alignment, size);
}

// Neither the arena's nor near mimalloc's blocks.
SPILLWAY_COLD static size_t usable_far(const void* pointer) {
  if (pointer == nullptr) {
    return 0;
  }
  if (guarded.owns(pointer)) {
    return usable_guarded(pointer);
  }
  if (mimalloc::has_other_heap()) {
    return mimalloc::other_usable_size(pointer);
  }
  if (!mimalloc::may_hold(pointer)) {
    report_foreign(Misuse::kUsableSize, pointer);
    return 0;
  }
  return mimalloc::usable_size(pointer);
}

size_t usable_size(const void* pointer) {
  const core::HeapArena& arena = heap.engine.arena();
  if (!arena.owns(pointer)) {
    return mimalloc::is_near(pointer) ? mimalloc::usable_size(pointer) : usable_far(pointer);
  }
  const size_t offset = arena.offset(pointer);
  const core::SlotState state = arena.state_at(offset).load();
  if (SPILLWAY_UNLIKELY(!core::is_live_at(state, core::inside_granule(offset))) &&
      !core::is_watched_at(state, core::inside_granule(offset))) {
    return 0;
  }
  const core::PageHeap& store = heap.engine.store();
  return store.is_wide(pointer) ? store.wide().usable(pointer) : store.usable(pointer);
}

SPILLWAY_COLD void note_size_mismatch(const void* pointer, size_t size) {
  if (size < config::kMinPooledSize || size > usable_size(pointer)) {
    counters.size_mismatches.add();
  }
}

}  // namespace spillway::heap
