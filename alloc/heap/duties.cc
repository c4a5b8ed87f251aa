// SPDX-License-Identifier: MIT
// What the background thread does: the one place that knows all of its duties.
#include "alloc/heap/background.h"
#include "alloc/heap/control.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/maintenance.h"
#include "alloc/heap/pressure.h"
#include "alloc/heap/stats_file.h"

namespace spillway::heap {

constinit const Duty kDuties[kDutyCount] = {scavenge, watch_pressure, write_due_statistics,
                                            serve_control};

bool duties_read_files() { return watches_pressure() || limits_are_shares(); }

}  // namespace spillway::heap
