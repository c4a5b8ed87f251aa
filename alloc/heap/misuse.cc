#include "alloc/heap/misuse.h"

#include "alloc/base/attributes.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/start.h"
#include "alloc/os/message.h"

namespace spillway::heap {
namespace {

void finish(os::Message& message, const void* pointer) {
  const core::Arena& arena = heap.engine.arena();
  const ClassIndex index = arena.class_of(core::Arena::granule_at(arena.offset(pointer)));
  message.line().number(heap.engine.geometry().of(index).block_size).text("-byte class");
  const auto policy = options().choice<config::OnMisuse>(config::Option::on_misuse);
  if (policy == config::OnMisuse::kIgnore) {
    return;
  }
  message.send();
  if (policy == config::OnMisuse::kAbort) {
    os::abort_process();
  }
}

}  // namespace

SPILLWAY_COLD void report_misuse(Misuse call, const void* pointer) {
  const core::Arena& arena = heap.engine.arena();
  const Granule block = heap.engine.block_of(core::Arena::granule_at(arena.offset(pointer)));
  const size_t inside = arena.offset(pointer) - arena.offset(arena.address(block));
  const core::SlotState state = arena.state(block).load();
  const bool again = inside == 0 && state == core::SlotState::kFree;
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
  } else if (state == core::SlotState::kClean) {
    message.line().text("never allocated, in the ");
  } else {
    message.line().number(inside).text(" bytes inside a block of the ");
  }
  finish(message, pointer);
}

SPILLWAY_COLD void report_late_double_free(void* /*owner*/, Granule block) {
  counters.double_frees.add();
  const void* pointer = heap.engine.arena().address(block);
  os::Message message;
  message.line().text("double free of ").address(pointer).text(", a block of the ");
  finish(message, pointer);
}

}  // namespace spillway::heap
