// SPDX-License-Identifier: MIT
// The process's background thread and its duties: what has to be done although no thread of the
// program calls.
//
// It is the hidden thread of os.h, unknown to the C library. It has to wake up in a process that
// has stopped calling malloc, and must not be in the program's way. A thread of pthread_create()
// would be: it keeps a process alive whose last thread has ended. fork() takes locks then that
// signal handlers wait for. It can't be started below libc's own locks, and its stack has to fit
// the program's thread-local data.
//
// It starts when there is something to do and ends when no duty keeps it: a process without work
// for it has none.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spillway::heap {

// What a duty says at the end of a turn.
struct NextTurn {
  static constexpr uint32_t kNever = UINT32_MAX;

  uint32_t milliseconds;      // until the next one, if the thread is there then
  bool keeps_thread = false;  // whether it has to be
};

// THE table of duties, in the order of their turns; duties.cc has it.
using Duty = NextTurn (*)();
inline constexpr size_t kDutyCount = 4;
extern const Duty kDuties[kDutyCount];
// Whether one of them, by the options, reads files at each turn.
bool duties_read_files();

// Whether the thread is there; it sees what the caller did before. `work` is new work for it: one
// that is about to leave looks at everything anew. Some nanoseconds; for signal handlers, too.
bool is_in_background(bool work);

// Starts the thread where there is none; false when it can't be had, which is tried once a second.
// For signal handlers, too.
bool start_background();

// Has the thread, if there is one, take all its turns now.
void run_background_now();

// Ends the thread, if there is one, and waits for that, a second at most.
void end_background();
// start_background() without waiting for the second.
bool resume_background();

// In a forked child, which has no such thread.
void forget_background_after_fork();

}  // namespace spillway::heap
