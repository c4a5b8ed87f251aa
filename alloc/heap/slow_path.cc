// SPDX-License-Identifier: MIT
// What malloc and free do when a thread's bin cannot serve them.
#include <cerrno>
#include <cstring>

#include "alloc/heap/counters.h"
#include "alloc/heap/hardening.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/maintenance.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/heap/thread_end.h"
#include "alloc/heap/watched.h"
#include "alloc/mimalloc/other_heap.h"

namespace spillway::heap {
namespace {

// The window's class for `size`, kNoClass when the options or the start exclude it.
ClassIndex class_for(size_t size) { return ensure_started() ? class_of(size) : kNoClass; }

// Its state byte already kFree.
void give_large(void* pointer, size_t bytes) {
  core::PageHeap& store = heap.engine.store();
  if (store.is_wide(pointer)) {
    store.wide().give(pointer);
  } else if (!store.give_large(pointer)) {
    report_late_double_free(nullptr, pointer);
  }
  scavenger.note_large_free(heap.engine, bytes);
  note_slow_path(bytes);
}

// Of two threads that free it at once, one sees it live; the other is told here.
void free_large(core::StateByte& state, void* pointer) {
  const size_t bytes = usable_size(pointer);
  if (!core::is_live(state.exchange(core::SlotState::kFree))) {
    return report_misuse(Misuse::kFree, pointer);
  }
  give_large(pointer, bytes);
}

// Its state byte already kFree.
void give_pooled(ClassIndex index, void* pointer) {
  if (heap.engine.give_metered(thread_state, index, pointer)) {
    return;
  }
  settle_thread();
  note_slow_path(heap.engine.give(thread_state, index, pointer));
}

// As free_large(), of all sizes.
SPILLWAY_NOINLINE void free_watched(core::PageEntry& entry, core::SlotState state, void* pointer) {
  const size_t bytes = usable_size(pointer);
  const ClassIndex index = entry.class_index();
  if (!unwatch(entry.state, state, pointer, bytes)) {
    return report_misuse(Misuse::kFree, pointer);
  }
  index == kNoClass ? give_large(pointer, bytes) : give_pooled(index, pointer);
}

}  // namespace

void settle_thread() {
  if (thread_state.settled.get() || thread_state.busy.get()) {
    return;  // busy: in a signal handler that interrupted this thread's bins
  }
  if (thread_state.bins.get() == &core::kNoCacheYet) {
    heap.engine.attach(thread_state);
  }
  notice_thread_end();
  if (thread_state.end_noticed.get()) {
    heap.engine.allow_draining(thread_state);
  }
  thread_state.settled.set(thread_state.end_noticed.get() &&
                           thread_state.bins.get() != &core::kNoCacheYet);
}

void* out_of_memory() {
  errno = ENOMEM;
  return nullptr;
}

SPILLWAY_COLD void* take_pooled_slow(size_t size) {
  void* block = nullptr;
  if (heap.engine.take_metered(thread_state, class_of(size), block)) {
    return block;
  }
  const ClassIndex index = class_for(size);
  if (index == kNoClass) {
    return nullptr;
  }
  settle_thread();
  block = heap.engine.take(thread_state, index);
  heap.engine.note_request(thread_state, index, size);
  if (block == nullptr) {
    counters.class_full.add();
  }
  balance();
  note_slow_path(0);
  return block;
}

SPILLWAY_COLD void* allocate_slow(size_t size) {
  if (!admit(size)) {
    return out_of_memory();
  }
  if (void* const block = take_guarded({.size = size})) {
    return block;
  }
  void* block = take_pooled_slow(size);
  if (block == nullptr) {
    note_unwatched(size);
    return mimalloc::allocate(size);
  }
  mark_handed_out(block, size);
  return block;
}

SPILLWAY_COLD void* allocate_zeroed_slow(size_t size) {
  if (!admit(size)) {
    return out_of_memory();
  }
  if (void* const block = take_guarded({.size = size, .zeroed = true})) {
    return block;
  }
  void* block = take_pooled_slow(size);
  if (block == nullptr) {
    note_unwatched(size);
    return mimalloc::allocate_zeroed(size);
  }
  const bool clean = is_clean(block);
  mark_handed_out(block, size);
  return clean ? block : std::memset(block, 0, size);
}

SPILLWAY_COLD void* take_large(size_t size, size_t alignment) {
  void* block = ensure_started() ? heap.engine.store().take_large(size, alignment) : nullptr;
  if (block != nullptr) {
    mark_handed_out(block, size);
    balance();
    note_slow_path(0);
  }
  return block;
}

SPILLWAY_COLD void* take_growing(size_t size) {
  core::PageHeap& store = heap.engine.store();
  void* block = store.take_with_room(size);
  block = block != nullptr ? block : store.wide().take(size);
  if (block != nullptr) {
    mark_handed_out(block, size);
    balance();
  }
  return block;
}

SPILLWAY_COLD void* allocate_large(size_t size) {
  if (size >= kImpossibleSize || !admit(size)) {
    return out_of_memory();
  }
  if (void* const block = take_guarded({.size = size})) {
    return block;
  }
  void* block = take_large(size, 1);
  if (block == nullptr) {
    note_unwatched(size);
    return mimalloc::allocate(size);
  }
  return block;
}

SPILLWAY_COLD void free_slow(void* pointer) {
  const size_t offset = heap.engine.arena().offset(pointer);
  core::PageEntry& entry = heap.engine.arena().entry_at(offset);
  const core::SlotState state = entry.state.load();
  if (!core::is_live_at(state, core::inside_granule(offset))) {
    if (core::is_watched_at(state, core::inside_granule(offset))) {
      return free_watched(entry, state, pointer);
    }
    return report_misuse(Misuse::kFree, pointer);
  }
  const ClassIndex index = entry.class_index();
  if (index == kNoClass) {
    return free_large(entry.state, pointer);
  }
  entry.state.store(core::SlotState::kFree);
  give_pooled(index, pointer);
}

SPILLWAY_COLD void free_sized_slow(void* pointer, size_t size) {
  if (usable_size(pointer) != 0) {
    note_size_mismatch(pointer, size);
  }
  free_slow(pointer);
}

SPILLWAY_COLD void free_far(void* pointer) {
  if (guarded.owns(pointer)) {
    return free_guarded(pointer);
  }
  if (mimalloc::has_other_heap()) {
    return mimalloc::other_free(pointer);
  }
  if (!mimalloc::may_hold(pointer)) {
    return report_foreign(Misuse::kFree, pointer);
  }
  if (const void* const around = mimalloc::block_around(pointer)) {
    return report_mimalloc_interior(Misuse::kFree, pointer, around);
  }
  mimalloc::free(pointer);
}

}  // namespace spillway::heap
