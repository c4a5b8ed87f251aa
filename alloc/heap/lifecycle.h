// SPDX-License-Identifier: MIT
// The heap's part in the life of a process, for the constructors and destructors of its faces.
#pragma once

namespace spillway::heap {

// Before main, and before the constructors of other libraries: starts the heap if no request has,
// prepares for thread ends and forks. Once. `environment` is the one that the program is given.
//
// The handlers of pthread_atfork() run in reverse order before a fork and in order after it. Those
// registered first are the closest to the fork: no other library's handler runs between ours, which
// stop threads in malloc, and the fork, so that none can wait for a lock that such a thread holds.
void on_process_start(char** environment);

// After main: writes the statistics that the options ask for.
void on_process_end();

}  // namespace spillway::heap
