// SPDX-License-Identifier: MIT
// Which thread runs the scavenger and what else is due at intervals, and when.
//
// While free memory waits to go back, it is a duty of the background thread (background.h).
//
// There may be no such thread, by the option purge_thread or because it cannot be had. Then threads
// that allocate do the work on their slow paths; while free memory waits all their calls take those
// (Engine::meter_all()).
#pragma once

#include <cstdint>

#include "alloc/heap/background.h"

namespace spillway::heap {

// At the end of a slow path that took or freed, with nothing held; `given` bytes left the thread's
// cache. Some nanoseconds, now and then a look at the free memory; starts the thread, or does work
// that is due where there is none. For signal handlers, too.
void note_slow_path(uint64_t given);

// For the background thread: the scavenger's turn.
NextTurn scavenge();

// In a forked child.
void restart_maintenance_after_fork();

}  // namespace spillway::heap
