// SPDX-License-Identifier: MIT
// Statistics at the end of a process, as the options stats and stats_file say. Without `stats` none
// of these makes a system call.
#pragma once

namespace spillway::heap {

// In the thread that runs main(), before it does.
void prepare_exit_report();
// After the program's exit handlers.
void report_at_exit();

}  // namespace spillway::heap
