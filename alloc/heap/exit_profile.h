// SPDX-License-Identifier: MIT
// The heap profile at the end of a process, as the option profile_file says. Without it none of
// these makes a system call.
#pragma once

namespace spillway::heap {

// Before main().
void prepare_exit_profile();
// After the program's exit handlers. A forked child writes one where %p gives it a file of its own.
void write_profile_at_exit();

}  // namespace spillway::heap
