// SPDX-License-Identifier: MIT
// Serves the control page (control/page.h): tools of users that may debug the process see and steer
// it there.
//
// A duty of the background thread. While a tool watches, the thread stays, looks at the page every
// few milliseconds, keeps a snapshot of the statistics that is as fresh as was asked for, and runs
// requests (control_commands.h), so that tools read memory and cost the process nothing. All of it
// together takes a hundredth of one processor at most, however many ask.
//
// A tool starts the thread where there is none: by a word that threads look at on their slow paths,
// or, in a process that does not come there, by the entry (control/entry.cc).
#pragma once

#include "alloc/base/attributes.h"
#include "alloc/control/page.h"
#include "alloc/heap/background.h"

namespace spillway::heap {

// At the start, when the options are known. Touches no page.
void open_control();
// With control:user, has the kernel let the user's other processes debug this one. Of each process:
// in a forked child, too.
void admit_user();

// For the background thread.
NextTurn serve_control();

SPILLWAY_COLD void start_serving();
// On slow paths, where there is no background thread: starts it when a tool asks. One load.
SPILLWAY_ALWAYS_INLINE void start_serving_if_asked() {
  // relaxed: the page is looked at by the thread that serves.
  if (SPILLWAY_UNLIKELY(spillway_control_gate.knock.load(std::memory_order_relaxed) != 0)) {
    start_serving();
  }
}

// In a forked child, which has no thread that serves.
void forget_control_after_fork();

}  // namespace spillway::heap
