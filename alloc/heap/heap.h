// The process heap: routes requests of 4 KiB to 1 MiB to the engine and everything else to the
// fallback. The fast paths of malloc and free are here, whole; what they call is cold.
//
// Signal handlers may allocate and free pooled sizes. Failure is null with errno ENOMEM; free and
// everything that succeeds leaves errno alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/config/size_classes.h"
#include "alloc/core/bin.h"
#include "alloc/core/engine.h"
#include "alloc/core/slot_state.h"
#include "alloc/fallback/fallback.h"

namespace spillway::heap {

// What every call reads; the rest of the heap's state is private to its files.
struct Heap {
  core::Engine engine;
  // All kNoClass until the engine has started; see start.cc.
  OwnedCell<ClassIndex> size_map[config::kSizeMapEntries];
};
extern constinit Heap heap;
extern constinit SPILLWAY_TLS core::ThreadAnchor anchor;

// --- behind the fast paths
// -------------------------------------------------------------------------

// A block of the class or null: also starts the heap and gives the thread its cache.
void* take_pooled_slow(size_t size);
// From pool or fallback, when the bin was empty.
void* allocate_slow(size_t size);
void* allocate_zeroed_slow(size_t size);
// Above the pooled window.
void* allocate_large(size_t size);
// A pointer into the arena that the fast path did not take: a full bin, a signal handler that
// interrupted this thread's bins, or misuse.
void free_slow(void* pointer);

// --- fast paths
// ------------------------------------------------------------------------------------

// Requests in the window, whatever the options say about it.
constexpr bool is_pooled_size(size_t size) {
  return size - config::kMinPooledSize <= config::kMaxPooledSize - config::kMinPooledSize;
}

// Pops a block for a request in the window; false when the slow path must. The block's state byte
// still tells whether it is clean: the caller marks it live.
SPILLWAY_ALWAYS_INLINE bool pop_block(ClassIndex index, Granule& block) {
  if (SPILLWAY_UNLIKELY(anchor.busy.get())) {
    return false;
  }
  const core::BusyScope busy(anchor);
  return anchor.bins.get()->of(index).pop(block);
}

SPILLWAY_ALWAYS_INLINE ClassIndex class_of(size_t size) {
  return heap.size_map[config::size_map_entry(size)].get();
}

SPILLWAY_ALWAYS_INLINE void* allocate(size_t size) {
  if (SPILLWAY_LIKELY(size < config::kMinPooledSize)) {
    return fallback::allocate(size);
  }
  if (SPILLWAY_UNLIKELY(size > config::kMaxPooledSize)) {
    return allocate_large(size);
  }
  const ClassIndex index = class_of(size);
  Granule block;
  if (SPILLWAY_UNLIKELY(!pop_block(index, block))) {
    return allocate_slow(size);
  }
  heap.engine.arena().state(block).store(core::live_state(index));
  return heap.engine.arena().address(block);
}

// `check(class)` sees the class of a live block first.
template <typename Check>
SPILLWAY_ALWAYS_INLINE void free_checked(void* pointer, Check check) {
  const core::Arena& arena = heap.engine.arena();
  const size_t offset = arena.offset(pointer);
  if (offset >= arena.bytes()) {
    return fallback::free(pointer);
  }
  const Granule block = core::Arena::granule_at(offset);
  const ClassIndex index = arena.class_of(block);
  core::StateByte& state = arena.state(block);
  if (SPILLWAY_UNLIKELY(offset % kGranuleSize != 0 || state.load() != core::live_state(index) ||
                        anchor.busy.get())) {
    return free_slow(pointer);
  }
  check(index);
  {
    const core::BusyScope busy(anchor);
    if (SPILLWAY_LIKELY(anchor.bins.get()->of(index).push(block))) {
      state.store(core::SlotState::kFree);
      return;
    }
  }
  free_slow(pointer);
}

SPILLWAY_ALWAYS_INLINE void free(void* pointer) {
  free_checked(pointer, [](ClassIndex) {});
}

// --- the rest of the family
// --------------------------------------------------------------------------

// `size` zero bytes; no memset when the block is known to read as zero.
void* allocate_zeroed(size_t size);
// `alignment` is a power of two.
void* allocate_aligned(size_t alignment, size_t size);
// As realloc(): null pointer allocates, size 0 frees and returns null.
void* reallocate(void* pointer, size_t size);
// Bytes that may be used; the same for a block's whole life. 0 for null and for what is not live.
size_t usable_size(const void* pointer);

// Counts a sized free whose size is not of the block's class.
void note_size_mismatch();

// free() for callers who say what they asked for; a wrong size is counted and otherwise ignored.
SPILLWAY_ALWAYS_INLINE void free_sized(void* pointer, size_t size) {
  free_checked(pointer, [size](ClassIndex index) {
    if (SPILLWAY_UNLIKELY(!is_pooled_size(size) || class_of(size) != index)) {
      note_size_mismatch();
    }
  });
}

}  // namespace spillway::heap
