// SPDX-License-Identifier: MIT
// Which thread runs the scavenger (core/scavenger.h), and when.
//
// While free memory waits to go back, it is a duty of the background thread (background.h).
//
// Where there is no such thread, by the option purge_thread or because it cannot be had, threads
// that allocate do the work on their slow paths, and while free memory waits all their calls take
// those (Engine::meter_all()).
#pragma once

#include <cstdint>

#include "alloc/core/scavenger.h"
#include "alloc/heap/background.h"

namespace spillway::heap {

extern constinit core::Scavenger scavenger;

// At the end of a slow path that took or freed, with nothing held; `given` bytes left the thread's
// cache. Some nanoseconds, now and then a look at the free memory; starts the thread, or does work
// that is due where there is none. For signal handlers, too.
void note_slow_path(uint64_t given);

// After a call that took memory, with nothing held. When the heap has grown by an eighth since the
// last time, free memory that it can't use goes back: that of freed wide slots, and what the
// mimalloc keeps for the thread. Some nanoseconds otherwise.
void balance();

// For the background thread: a turn at whatever is due.
NextTurn scavenge();
// Starts that thread again, after end_background(), if free memory waits.
void resume_scavenging_in_background();

void pause_scavenging();
void resume_scavenging();
void restart_scavenging_after_fork();

}  // namespace spillway::heap
