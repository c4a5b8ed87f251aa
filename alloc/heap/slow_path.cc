// What malloc and free do when a thread's bin cannot serve them.
#include <cerrno>
#include <cstring>

#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/start.h"
#include "alloc/heap/thread_end.h"

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
}

// The window's class for `size`, kNoClass when the options or the start exclude it.
ClassIndex class_for(size_t size) { return ensure_started() ? class_of(size) : kNoClass; }

// A block of the window marked live, or kNoGranule.
Granule take_block(size_t size, bool& clean) {
  const ClassIndex index = class_for(size);
  if (index == kNoClass) {
    return kNoGranule;
  }
  settle_thread();
  const Granule block = heap.engine.take(anchor, index);
  if (block == kNoGranule) {
    counters.class_full.add();
    return kNoGranule;
  }
  core::StateByte& state = heap.engine.arena().state(block);
  clean = state.load() == core::SlotState::kClean;
  state.store(core::live_state(index));
  return block;
}

}  // namespace

SPILLWAY_COLD void* take_pooled_slow(size_t size) {
  bool clean = false;
  const Granule block = take_block(size, clean);
  return block == kNoGranule ? nullptr : heap.engine.arena().address(block);
}

SPILLWAY_COLD void* allocate_slow(size_t size) {
  void* pooled = take_pooled_slow(size);
  return pooled != nullptr ? pooled : fallback::allocate(size);
}

SPILLWAY_COLD void* allocate_zeroed_slow(size_t size) {
  bool clean = false;
  const Granule block = take_block(size, clean);
  if (block == kNoGranule) {
    return fallback::allocate_zeroed(size);
  }
  void* address = heap.engine.arena().address(block);
  return clean ? address : std::memset(address, 0, size);
}

SPILLWAY_COLD void* allocate_large(size_t size) {
  if (size > PTRDIFF_MAX) {
    errno = ENOMEM;
    return nullptr;
  }
  return fallback::allocate(size);
}

SPILLWAY_COLD void free_slow(void* pointer) {
  const core::Arena& arena = heap.engine.arena();
  const size_t offset = arena.offset(pointer);
  const Granule block = core::Arena::granule_at(offset);
  core::StateByte& state = arena.state(block);
  const core::SlotState seen = state.load();
  if (offset % kGranuleSize != 0 || !core::is_live(seen)) {
    report_misuse(Misuse::kFree, pointer);
    return;
  }
  settle_thread();
  state.store(core::SlotState::kFree);
  heap.engine.give(anchor, ClassIndex{raw(seen)}, block);
}

}  // namespace spillway::heap
