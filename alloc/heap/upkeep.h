// Sees to it that the engine's upkeep is done (core/upkeep.h).
//
// While free memory waits to go back, a thread does it, which ends when none is left: a process
// without much free memory has none. It is the hidden thread of os.h, unknown to the C library: the
// one thing it needs is to wake up in a process that has stopped calling malloc, and for that it
// must not be in the program's way. With pthread_create() it kept processes alive whose last thread
// had ended, had libc's fork() lock what signal handlers then waited for, could not be started
// below libc's own locks, and had a stack that the program's thread-local data did not fit.
//
// Where there is none, by the option purge_thread or because it cannot be had, threads that
// allocate do the work on their slow paths, and while free memory waits all their calls take those
// (Engine::meter()).
#pragma once

#include <cstdint>

#include "alloc/core/upkeep.h"

namespace spillway::heap {

extern constinit core::Upkeep upkeep;

// At the end of a slow path that took or freed, with nothing held; `given` bytes left the thread's
// cache. Some nanoseconds, now and then a look at the free memory; starts the thread, or does work
// that is due where there is none. For signal handlers, too.
void note_slow_path(uint64_t given);

// After a call that took memory, with nothing held. When the heap has grown by an eighth since the
// last time, free memory that it can't use goes back: that of freed wide slots, and what the
// fallback keeps for the thread. Some nanoseconds otherwise.
void balance();

// Ends the thread, if there is one, and waits for that, a second at most; and starts one again if
// free memory waits.
void end_upkeep_thread();
void resume_upkeep_thread();

void pause_upkeep();
void resume_upkeep();
void restart_upkeep_after_fork();

}  // namespace spillway::heap
