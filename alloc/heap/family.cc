// calloc, memalign, malloc_usable_size and sized free over the heap's two halves.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "alloc/base/bits.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"

namespace spillway::heap {
namespace {

// A block for a request in the window, or null.
void* allocate_pooled(size_t size) {
  const ClassIndex index = class_of(size);
  Granule block;
  if (!pop_block(index, block)) {
    return take_pooled_slow(size);
  }
  heap.engine.arena().state(block).store(core::live_state(index));
  return heap.engine.arena().address(block);
}

}  // namespace

void* allocate_zeroed(size_t size) {
  if (!is_pooled_size(size)) {
    if (SPILLWAY_UNLIKELY(size > PTRDIFF_MAX)) {
      errno = ENOMEM;
      return nullptr;
    }
    return fallback::allocate_zeroed(size);
  }
  const ClassIndex index = class_of(size);
  Granule block;
  if (SPILLWAY_UNLIKELY(!pop_block(index, block))) {
    return allocate_zeroed_slow(size);
  }
  core::StateByte& state = heap.engine.arena().state(block);
  const bool clean = state.load() == core::SlotState::kClean;
  state.store(core::live_state(index));
  void* address = heap.engine.arena().address(block);
  return clean ? address : std::memset(address, 0, size);
}

void* allocate_aligned(size_t alignment, size_t size) {
  if (size > PTRDIFF_MAX || alignment > PTRDIFF_MAX) {
    errno = ENOMEM;
    return nullptr;
  }
  // Blocks of a class whose size is a multiple of the alignment are aligned, and the class of a
  // request that was rounded up to the alignment is such a class.
  const size_t rounded = align_up(std::max<size_t>(size, 1), alignment);
  if (is_pooled_size(rounded) && (alignment >= kGranuleSize || is_pooled_size(size))) {
    void* pooled = allocate_pooled(rounded);
    if (pooled != nullptr) {
      return pooled;
    }
  }
  return fallback::allocate_aligned(alignment, size);
}

size_t usable_size(const void* pointer) {
  const core::Arena& arena = heap.engine.arena();
  if (!arena.owns(pointer)) {
    return fallback::usable_size(pointer);
  }
  const size_t offset = arena.offset(pointer);
  const core::SlotState seen = arena.state(core::Arena::granule_at(offset)).load();
  if (offset % kGranuleSize != 0 || !core::is_live(seen)) {
    return 0;
  }
  return heap.engine.geometry().of(ClassIndex{raw(seen)}).block_size;
}

SPILLWAY_COLD void note_size_mismatch() { counters.size_mismatches.add(); }

}  // namespace spillway::heap
