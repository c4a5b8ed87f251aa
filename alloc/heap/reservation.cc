// SPDX-License-Identifier: MIT
#include "alloc/heap/reservation.h"

#include <algorithm>

#include "alloc/heap/hardening.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/state.h"
#include "alloc/os/os.h"

namespace spillway::heap {

namespace {

void give_up_untouched() {
  heap.engine.give_up_untouched();
  if (heap.engine.arena().is_sealed()) {
    guarded.give_up_untouched();
  }
}

}  // namespace

void make_room_below(uint64_t bytes) {
  if (is_pooling() && bytes < os::mapped_bytes() + os::physical_memory()) {
    give_up_untouched();
  }
}

bool make_room_to_lock() {
  if (!is_pooling()) {
    return false;
  }
  const uint64_t untouched = heap.engine.untouched_bytes() + guarded.untouched_bytes();
  const uint64_t mapped = os::mapped_bytes();
  if (untouched == 0 || mapped - std::min(mapped, untouched) > os::lockable_bytes()) {
    return false;
  }
  give_up_untouched();
  return heap.engine.arena().is_sealed();
}

void note_locked() {
  if (is_pooling()) {
    heap.engine.arena().commit_exactly();
  }
}

}  // namespace spillway::heap
