#include "alloc/heap/misuse.h"

#include "alloc/base/attributes.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/start.h"
#include "alloc/os/message.h"

namespace spillway::heap {
namespace {

void send(os::Message& message) {
  const auto policy = options().choice<config::OnMisuse>(config::Option::on_misuse);
  if (policy == config::OnMisuse::kIgnore) {
    return;
  }
  message.send();
  if (policy == config::OnMisuse::kAbort) {
    os::abort_process();
  }
}

void finish(os::Message& message, const void* pointer) {
  const core::Arena& arena = heap.engine.arena();
  const Granule granule = arena.granule_at(arena.offset(pointer));
  if (heap.engine.is_large(granule)) {
    message.line().text("class of large blocks");
  } else {
    const ClassIndex index = arena.class_of(granule);
    message.line().number(heap.engine.geometry().of(index).block_size).text("-byte class");
  }
  send(message);
}

}  // namespace

SPILLWAY_COLD void report_misuse(Misuse call, const void* pointer) {
  const core::Arena& arena = heap.engine.arena();
  const size_t address = arena.offset(pointer);
  const bool in_slot = heap.engine.has_slot(arena.granule_at(address));
  const Granule slot = in_slot ? heap.engine.slot_start(arena.granule_at(address)) : Granule{0};
  const bool used = in_slot && heap.engine.was_used(slot);
  const core::SlotState state = arena.state(slot).load();
  const bool free = state == core::SlotState::kFree || state == core::SlotState::kClean;
  // Where the slot's block starts, or started, as far as that is known.
  const size_t start = arena.offset(arena.address(slot));
  const size_t block = start + (free ? 0 : core::start_line(state) * core::kLineSize);
  const bool again = used && free && (address == start || pointer == heap.engine.block_of(slot));
  (again ? counters.double_frees : counters.invalid_frees).add();

  os::Message message;
  if (call == Misuse::kReallocate) {
    message.line().text(again ? "realloc of a freed block: " : "invalid realloc of ");
  } else {
    message.line().text(again ? "double free of " : "invalid free of ");
  }
  message.line().address(pointer).text(", ");
  if (again) {
    message.line().text("a block of the ");
  } else if (!used) {
    message.line().text("never allocated, in the ");
  } else if (address < block) {
    message.line().text("before the start of a block of the ");
  } else {
    message.line().number(address - block).text(" bytes inside a block of the ");
  }
  finish(message, pointer);
}

SPILLWAY_COLD void report_foreign(Misuse call, const void* pointer) {
  counters.invalid_frees.add();
  ensure_started();  // reads the options: there may have been no pooled request yet
  os::Message message;
  switch (call) {
    case Misuse::kFree:
      message.line().text("invalid free of ");
      break;
    case Misuse::kReallocate:
      message.line().text("invalid realloc of ");
      break;
    case Misuse::kUsableSize:
      message.line().text("invalid malloc_usable_size of ");
      break;
  }
  message.line().address(pointer).text(", not a block of this allocator");
  send(message);
}

SPILLWAY_COLD void report_late_double_free(void* /*owner*/, void* pointer) {
  counters.double_frees.add();
  os::Message message;
  message.line().text("double free of ").address(pointer).text(", a block of the ");
  finish(message, pointer);
}

}  // namespace spillway::heap
