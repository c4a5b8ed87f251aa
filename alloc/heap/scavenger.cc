// SPDX-License-Identifier: MIT
#include "alloc/heap/scavenger.h"

#include "alloc/heap/background.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/state.h"
#include "alloc/mimalloc/calls.h"
#include "alloc/os/os.h"

namespace spillway::heap {

constinit core::Scavenger scavenger;

bool wants_thread() { return scavenger.purges() && options().flag(config::Option::purge_thread); }

bool is_much_free() {
  core::PageHeap& store = heap.engine.store();
  uint64_t sum = store.wide().free_bytes_up_to(kMinWaiting);
  sum += sum < kMinWaiting ? store.free_bytes_up_to(kMinWaiting - sum) : 0;
  sum += sum < kMinWaiting ? heap.engine.cached_bytes_up_to(kMinWaiting - sum) : 0;
  return sum >= kMinWaiting;
}

void balance() {
  if (scavenger.balance(heap.engine)) {
    mimalloc::collect_waiting();
  }
}

void resume_scavenging_in_background() {
  if (is_pooling() && wants_thread() && os::in_own_process() && is_much_free()) {
    resume_background();
  }
}

void pause_scavenging() { scavenger.turns().pause(&thread_state); }

void resume_scavenging() { scavenger.turns().resume(&thread_state); }

void resume_scavenging_after_fork() { scavenger.turns().resume_after_fork(); }

}  // namespace spillway::heap
