// SPDX-License-Identifier: MIT
// The file that the option stats_file names: its path, who writes it, and how it gets there whole.
#pragma once

#include <cstdint>
#include <string_view>

#include "alloc/heap/background.h"
#include "alloc/heap/report_space.h"

namespace spillway::heap {

// As the option says, with %p for the process id; empty: there is none.
std::string_view stats_file_pattern();

// Whether the option stats_interval is set, with what it needs.
bool has_stats_interval();

// Writes the file. With stats_interval under another name beside it first, `PATH.PID.tmp`, which
// then takes its place: a reader finds a whole file at any time. What is no regular file is written
// to where it is. False: it can't be opened, whose path is in `space` then.
bool write_stats_file(ReportSpace& space);

// The background thread's duty: writes the file when the interval is over.
NextTurn write_due_statistics();
// Has the background thread do it, from the start of a process and, where it could not be had or is
// a child's, from a slow path. Some nanoseconds without the option.
void start_stats_interval();
void resume_stats_interval();
// The thread writes no more: the end of the process does. False when it did not stop within a
// second; the file is as it left it then.
[[nodiscard]] bool end_stats_interval();
// In a forked child.
void restart_stats_interval_after_fork();

}  // namespace spillway::heap
