// Sees to it that the engine's upkeep is done (core/upkeep.h): by a thread of its own, which is
// started when the pool has grown to some size, sleeps while there is nothing to do, and is started
// anew in a forked child that needs it. Where there is no such thread, by the option purge_thread
// or because the system has none to give, threads that miss their caches do it between times.
#pragma once

#include "alloc/core/upkeep.h"

namespace spillway::heap {

extern constinit core::Upkeep upkeep;

// At the end of every slow path, with nothing held. Some nanoseconds, unless it starts the thread,
// wakes it, or there is none and work is due.
void note_slow_path();

void pause_upkeep();
void resume_upkeep();
void restart_upkeep_after_fork();

}  // namespace spillway::heap
