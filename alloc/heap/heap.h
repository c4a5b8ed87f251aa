// SPDX-License-Identifier: MIT
// The process heap: routes requests of 4 KiB to 1 MiB to the engine, longer ones to its page heap,
// and the others to mimalloc. The fast paths of malloc and free are here, whole; what they call is
// cold.
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
#include "alloc/core/page_heap.h"
#include "alloc/core/slot_state.h"
#include "alloc/mimalloc/calls.h"

namespace spillway::heap {

// Blocks of at least this many bytes are coloured (core/page_heap.h), which takes half a KiB of
// each.
inline constexpr size_t kMinColouredSize = 64 * kKiB;
// The longest request that gets a block which is not coloured: that of the class below.
inline constexpr size_t kMaxPlainSize = [] {
  size_t longest = 0;
  for (const size_t size : config::kHeapClassSizes) {
    longest = size < kMinColouredSize ? size : longest;
  }
  return longest;
}();

// Requests of this size or more fail at once: no process has that many addresses, and mimalloc
// gives its free memory back before it says so, some 20 us a request.
#if __x86_64__
inline constexpr size_t kImpossibleSize = size_t{1} << 47;
#else
inline constexpr size_t kImpossibleSize = size_t{1} << 48;
#endif

// What every call reads; the rest of the heap's state is private to its files.
struct Heap {
  core::Engine<core::PageHeap> engine;
  // All kNoClass until the engine has started; see start.cc.
  OwnedCell<ClassIndex> size_map[config::kSizeMapEntries];
};
extern constinit Heap heap;
extern constinit SPILLWAY_TLS core::ThreadState thread_state;

// --- behind the fast paths ----------------------------------------------------------------------

// Null, with errno ENOMEM.
void* out_of_memory();
// Gives the thread a cache and has its end noticed, each at the first opportunity. Not before the
// heap has started.
void settle_thread();
// A block of the class, not marked live yet, or null: also starts the heap and gives the thread its
// cache.
void* take_pooled_slow(size_t size);
// From pool or mimalloc, when the bin was empty.
void* allocate_slow(size_t size);
void* allocate_zeroed_slow(size_t size);
// Above the pooled window.
void* allocate_large(size_t size);
// A large block, live, at a multiple of `alignment`, or null.
void* take_large(size_t size, size_t alignment);
// One with room to grow: at the start of a run of twice the size, or else in a wide slot, where it
// grows to the longest block there is. Null: there is none.
void* take_growing(size_t size);
// A pointer into the arena that the fast path did not take: a full bin, a signal handler that
// interrupted this thread's bins, a watched block, or misuse.
void free_slow(void* pointer);
// The same by way of free_sized().
void free_sized_slow(void* pointer, size_t size);
// Pointers that are neither null nor the arena's nor near mimalloc's blocks: its rare blocks
// elsewhere, or misuse.
void free_far(void* pointer);

// --- fast paths ---------------------------------------------------------------------------------

// Requests in the window, whatever the options say about it.
constexpr bool is_pooled_size(size_t size) {
  return size - config::kMinPooledSize <= config::kMaxPooledSize - config::kMinPooledSize;
}

// Pops a block for a request in the window; false when the slow path must. The block's state byte
// still tells whether it is clean: the caller marks it live.
SPILLWAY_ALWAYS_INLINE bool pop_block(ClassIndex index, void*& block) {
  if (SPILLWAY_UNLIKELY(thread_state.busy.get())) {
    return false;
  }
  const core::BusyScope busy(thread_state);
  return thread_state.table().of(index).pop(block);
}

// Marks a block that starts where the caller wants it live.
SPILLWAY_ALWAYS_INLINE void mark_live(void* block) {
  const core::HeapArena& arena = heap.engine.arena();
  const size_t offset = arena.offset(block);
  arena.state_at(offset).store(core::live_state(offset));
}

// Of a block not marked live yet: whether it reads as zero.
SPILLWAY_ALWAYS_INLINE bool is_clean(const void* block) {
  const core::HeapArena& arena = heap.engine.arena();
  return arena.state_at(arena.offset(block)).load() == core::SlotState::kClean;
}

SPILLWAY_ALWAYS_INLINE ClassIndex class_of(size_t size) {
  return heap.size_map[config::size_map_entry(size)].get();
}

SPILLWAY_ALWAYS_INLINE void* allocate(size_t size) {
  if (SPILLWAY_FALL_THROUGH_IF(size < config::kMinPooledSize)) {
    return mimalloc::allocate(size);
  }
  if (SPILLWAY_UNLIKELY(size > config::kMaxPooledSize)) {
    return allocate_large(size);
  }
  void* block;
  if (SPILLWAY_UNLIKELY(!pop_block(class_of(size), block))) {
    return allocate_slow(size);
  }
  mark_live(block);
  return block;
}

// `check(index)` sees the class of a plainly live block first; kNoClass: a large one. `slow()` is
// for others.
template <typename Check, typename Slow>
SPILLWAY_ALWAYS_INLINE void free_checked(void* pointer, Check check, Slow slow) {
  const core::HeapArena& arena = heap.engine.arena();
  const size_t offset = arena.offset(pointer);
  if (SPILLWAY_FALL_THROUGH_IF(offset >= arena.bytes())) {
    if (SPILLWAY_UNLIKELY(!mimalloc::is_near(pointer))) {
      return pointer == nullptr ? void() : free_far(pointer);
    }
    return mimalloc::free_near(pointer);
  }
  core::PageEntry& entry = arena.entry_at(offset);
  if (SPILLWAY_UNLIKELY(!core::is_live_at(entry.state.load(), core::inside_granule(offset)) ||
                        thread_state.busy.get())) {
    return slow();
  }
  const ClassIndex index = entry.class_index();
  check(index);
  {
    // Large blocks' bin is always full.
    const core::BusyScope busy(thread_state);
    if (SPILLWAY_LIKELY(thread_state.table().of(index).push(pointer))) {
      entry.state.store(core::SlotState::kFree);
      return;
    }
  }
  free_slow(pointer);
}

SPILLWAY_ALWAYS_INLINE void free(void* pointer) {
  free_checked(
      pointer, [](ClassIndex) {}, [pointer] { free_slow(pointer); });
}

// --- the rest of the family ---------------------------------------------------------------------

// `size` zero bytes; no memset when the block is known to read as zero.
void* allocate_zeroed(size_t size);
// `alignment` is a power of two.
void* allocate_aligned(size_t alignment, size_t size);
// As realloc(): null pointer allocates, size 0 frees and returns null.
void* reallocate(void* pointer, size_t size);
// Bytes that may be used; the same for a block's whole life. 0 for null and for what is not live;
// reports addresses that are no block's of this allocator.
size_t usable_size(const void* pointer);

// Counts a sized free of a live block whose size the block never had room for, or which no block
// of the arena is for. Others are not noticed: a block may be larger than was asked for.
void note_size_mismatch(const void* pointer, size_t size);

// free() for callers that say what they asked for; a wrong size is counted and otherwise ignored.
SPILLWAY_ALWAYS_INLINE void free_sized(void* pointer, size_t size) {
  free_checked(
      pointer,
      [pointer, size](ClassIndex index) {
        if (SPILLWAY_UNLIKELY(!is_pooled_size(size) || raw(class_of(size)) > raw(index))) {
          note_size_mismatch(pointer, size);
        }
      },
      [pointer, size] { free_sized_slow(pointer, size); });
}

}  // namespace spillway::heap
