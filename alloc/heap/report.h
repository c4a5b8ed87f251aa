// SPDX-License-Identifier: MIT
// The heap's statistics: collected, and written where a caller asks for them.
#pragma once

#include <cstdint>

#include "alloc/config/options.h"
#include "alloc/heap/report_space.h"
#include "alloc/stats/output.h"
#include "alloc/stats/statistics.h"

namespace spillway::heap {

// kMin opens no file: held_bytes is a bound then, with the most that the process ever had
// resident.
enum class Effort : uint8_t { kFull, kMin };

// Takes no lock; costs one pass over classes and thread caches.
void collect(stats::Snapshot& snapshot, Effort effort = Effort::kFull);

// Collects into `snapshot` and prints that; kOff prints nothing. The output is not finished.
void print_statistics(stats::Output& output, config::StatsFormat format, stats::Snapshot& snapshot,
                      Effort effort);

// False when not all was written; kOff writes nothing. Waits a second at most for a reader.
bool write_statistics(int descriptor, config::StatsFormat format);
// The same in `space`, which is there.
bool write_statistics(int descriptor, config::StatsFormat format, ReportSpace& space,
                      Effort effort = Effort::kFull);

}  // namespace spillway::heap
