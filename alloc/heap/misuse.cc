// SPDX-License-Identifier: MIT
#include "alloc/heap/misuse.h"

#include "alloc/base/attributes.h"
#include "alloc/base/bits.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/state.h"
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

// The block that an address in the arena is in, or was in.
struct Suspect {
  bool live = false;       // inside a live block, or in its run before its start
  bool freed = false;      // the start of one that was freed
  bool untouched = false;  // where no block ever was
  size_t start = 0;
  ClassIndex index = kNoClass;
};

Suspect examine_wide(size_t offset) {
  const core::WideSlots& wide = heap.engine.store().wide();
  const core::HeapArena& arena = heap.engine.arena();
  const Granule page = arena.granule_at(offset);
  if (wide.max_bytes() == 0 || !wide.was_used(page)) {
    return {.untouched = true};
  }
  const core::SlotState state = arena.state(wide.slot_start(page)).load();
  const size_t start = arena.offset(wide.block_of(page));
  const bool live = core::is_live(state);
  return {.live = live, .freed = !live && offset == start, .start = start};
}

Suspect examine(size_t offset) {
  const core::PageHeap& store = heap.engine.store();
  const core::HeapArena& arena = heap.engine.arena();
  if (store.is_wide(arena.at(offset))) {
    return examine_wide(offset);
  }
  if (offset >= store.size_bytes()) {
    return {.untouched = true};
  }
  core::PageHeap::Found found{};
  if (store.find(offset, found)) {
    return {.live = true, .start = found.start, .index = found.index};
  }
  const core::PageEntry& entry = arena.entry_at(offset);
  const core::SlotState state = entry.state.load();
  const ClassIndex index = entry.class_index();
  if (core::is_live(state)) {
    const size_t start =
        align_down(offset, kGranuleSize) + core::start_line(state) * core::kLineSize;
    const bool in_run = offset < start && offset >= align_down(start, core::kGrainSize);
    return {.live = in_run, .start = start, .index = index};
  }
  const bool freed = state != core::SlotState::kClean || index != kNoClass;
  return {.freed = freed && offset % core::kLineSize == 0, .start = offset, .index = index};
}

void begin(os::Message& message, Misuse call, bool again, const void* pointer) {
  if (call == Misuse::kReallocate) {
    message.line().text(again ? "realloc of a freed block: " : "invalid realloc of ");
  } else {
    message.line().text(again ? "double free of " : "invalid free of ");
  }
  message.line().address(pointer).text(", ");
}

void finish(os::Message& message, ClassIndex index) {
  if (index == kNoClass) {
    message.line().text("class of large blocks");
  } else {
    message.line().number(heap.engine.geometry().of(index).block_size).text("-byte class");
  }
  send(message);
}

}  // namespace

SPILLWAY_COLD void report_misuse(Misuse call, const void* pointer) {
  const size_t offset = heap.engine.arena().offset(pointer);
  const Suspect suspect = examine(offset);
  const bool again = suspect.freed;
  (again ? counters.double_frees : counters.invalid_frees).add();

  os::Message message;
  begin(message, call, again, pointer);
  if (again) {
    message.line().text("a block of the ");
  } else if (suspect.untouched) {
    message.line().text("never allocated");
    return send(message);
  } else if (!suspect.live) {
    message.line().text("in no block of the pool");
    return send(message);
  } else if (offset < suspect.start) {
    message.line().text("before the start of a block of the ");
  } else {
    message.line().number(offset - suspect.start).text(" bytes inside a block of the ");
  }
  finish(message, suspect.index);
}

SPILLWAY_COLD void report_mimalloc_freed(Misuse call, const void* block) {
  counters.double_frees.add();
  ensure_started();  // reads the options: there may have been no pooled request yet
  os::Message message;
  begin(message, call, true, block);
  // Less than any block has: its page has gone back.
  const size_t bytes = mimalloc::usable_size(block);
  if (bytes < mimalloc::kAlignment) {
    message.line().text("a small block");
  } else {
    message.line().text("a block of ").number(bytes).text(" bytes");
  }
  send(message);
}

SPILLWAY_COLD void report_mimalloc_interior(Misuse call, const void* pointer, const void* block) {
  counters.invalid_frees.add();
  ensure_started();
  os::Message message;
  begin(message, call, false, pointer);
  const auto at = reinterpret_cast<uintptr_t>(pointer);
  const auto start = reinterpret_cast<uintptr_t>(block);
  if (at < start) {
    message.line().text("before the start of a block of ");
  } else {
    message.line().number(at - start).text(" bytes inside a block of ");
  }
  message.line().number(mimalloc::usable_size(block)).text(" bytes");
  send(message);
}

SPILLWAY_COLD void report_guarded(Misuse call, const void* pointer,
                                  const guard::GuardedHeap::Found& found) {
  using Where = guard::GuardedHeap::Where;
  const bool again = found.where == Where::kFreed;
  (again ? counters.double_frees : counters.invalid_frees).add();
  os::Message message;
  begin(message, call, again, pointer);
  const auto at = reinterpret_cast<uintptr_t>(pointer);
  if (found.where == Where::kNowhere) {
    message.line().text("in no block");
    return send(message);
  }
  if (again) {
    message.line().text("a block of ");
  } else if (at < found.start) {
    message.line().text("before the start of a block of ");
  } else {
    message.line().number(at - found.start).text(" bytes inside a block of ");
  }
  message.line().number(found.size).text(" bytes");
  send(message);
}

SPILLWAY_COLD void report_damage(guard::Damage damage, const void* block, size_t size) {
  counters.damages.add();
  os::Message message;
  const auto begin_of = [](guard::Damage kind) {
    switch (kind) {
      case guard::Damage::kUnderflow:
        return "write before the start of ";
      case guard::Damage::kOverflow:
        return "write past the end of ";
      case guard::Damage::kWhileFree:
        break;
    }
    return "write to free memory at ";
  };
  message.line().text(begin_of(damage)).address(block);
  if (size != 0) {
    message.line().text(", a block of ").number(size).text(" bytes");
  }
  send(message);
}

SPILLWAY_COLD void report_fault(uintptr_t address, const guard::GuardedHeap::Found& nearest) {
  using Where = guard::GuardedHeap::Where;
  if (options().choice<config::OnMisuse>(config::Option::on_misuse) == config::OnMisuse::kIgnore) {
    return;
  }
  os::Message message;
  message.line().text("access to ").address(reinterpret_cast<void*>(address)).text(", ");
  if (nearest.where == Where::kNowhere) {
    message.line().text("in no block");
    return message.send();
  }
  if (address < nearest.start) {
    message.line().number(nearest.start - address).text(" bytes before the start of");
  } else if (address >= nearest.start + nearest.size) {
    message.line().number(address - nearest.start - nearest.size).text(" bytes past the end of");
  } else {
    message.line().number(address - nearest.start).text(" bytes inside");
  }
  message.line().text(nearest.where == Where::kFreed ? " a freed block of " : " a block of ");
  message.line().number(nearest.size).text(" bytes");
  message.send();
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
  const core::HeapArena& arena = heap.engine.arena();
  finish(message, arena.entry_at(arena.offset(pointer)).class_index());
}

}  // namespace spillway::heap
