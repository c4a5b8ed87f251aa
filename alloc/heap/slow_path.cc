// What malloc and free do when a thread's bin cannot serve them.
#include <cerrno>
#include <cstring>

#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/start.h"
#include "alloc/heap/thread_end.h"
#include "alloc/heap/upkeep.h"

namespace spillway::heap {
namespace {

// Gives the thread a cache and has its end noticed, each at the first opportunity.
void settle_thread() {
  if (anchor.busy.get()) {
    return;  // in a signal handler that interrupted this thread's bins
  }
  if (anchor.bins.get() == &core::kNoCacheYet) {
    heap.engine.attach(anchor);
  }
  notice_thread_end();
  if (anchor.end_noticed.get()) {
    heap.engine.allow_borrowing(anchor);
  }
}

// The window's class for `size`, kNoClass when the options or the start exclude it.
ClassIndex class_for(size_t size) { return ensure_started() ? class_of(size) : kNoClass; }

// Of two threads that free it at once, one sees it live; the other is told here, since the lists of
// large slots do not know blocks twice.
void free_large(core::StateByte& state, void* pointer) {
  const size_t bytes = heap.engine.large().usable(pointer);
  if (state.exchange(core::SlotState::kFree) == core::SlotState::kFree) {
    return report_misuse(Misuse::kFree, pointer);
  }
  heap.engine.large().give(pointer);
  note_slow_path(bytes);
}

}  // namespace

void* out_of_memory() {
  errno = ENOMEM;
  return nullptr;
}

SPILLWAY_COLD void* take_pooled_slow(size_t size) {
  const ClassIndex index = class_for(size);
  if (index == kNoClass) {
    return nullptr;
  }
  settle_thread();
  void* block = heap.engine.take(anchor, index);
  if (block == nullptr) {
    counters.class_full.add();
  }
  upkeep.balance(heap.engine);
  note_slow_path(0);
  return block;
}

SPILLWAY_COLD void* allocate_slow(size_t size) {
  if (!admit(size)) {
    return out_of_memory();
  }
  void* block = take_pooled_slow(size);
  if (block == nullptr) {
    return fallback::allocate(size);
  }
  mark_live(block);
  return block;
}

SPILLWAY_COLD void* allocate_zeroed_slow(size_t size) {
  if (!admit(size)) {
    return out_of_memory();
  }
  void* block = take_pooled_slow(size);
  return block == nullptr ? fallback::allocate_zeroed(size) : zero_and_mark_live(block, size);
}

SPILLWAY_COLD void* take_large(size_t size, core::LargeBlocks::Use use, bool aligned) {
  core::LargeBlocks& large = heap.engine.large();
  if (!ensure_started() || size > large.most_bytes()) {
    return nullptr;
  }
  void* block = large.take(size, use, aligned);
  if (block != nullptr) {
    mark_live(block);
  }
  return block;
}

SPILLWAY_COLD void* allocate_large(size_t size) {
  if (size > PTRDIFF_MAX || !admit(size)) {
    return out_of_memory();
  }
  void* block = take_large(size, core::LargeBlocks::Use::kAny, false);
  return block != nullptr ? block : fallback::allocate(size);
}

SPILLWAY_COLD void free_slow(void* pointer) {
  const core::Arena& arena = heap.engine.arena();
  const size_t offset = arena.offset(pointer);
  const Granule granule = arena.granule_at(offset);
  core::StateByte& state = arena.state(granule);
  const core::SlotState seen = state.load();
  if (core::is_live_at(seen, core::inside_granule(offset))) {
    if (heap.engine.is_large(granule)) {
      return free_large(state, pointer);
    }
    state.store(core::SlotState::kFree);
  } else if (seen == core::SlotState::kLiveInside && core::inside_granule(offset) == 0) {
    state.store(core::SlotState::kClean);  // an interior granule again
    pointer = heap.engine.block_of(granule);
  } else {
    report_misuse(Misuse::kFree, pointer);
    return;
  }
  settle_thread();
  note_slow_path(heap.engine.give(anchor, arena.class_of(granule), pointer));
}

SPILLWAY_COLD void free_far(void* pointer) {
  if (!fallback::may_hold(pointer)) {
    return report_foreign(Misuse::kFree, pointer);
  }
  fallback::free(pointer);
}

}  // namespace spillway::heap
