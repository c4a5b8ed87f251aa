// The heap's statistics: collected, and written where somebody asked for them.
#pragma once

#include "alloc/config/options.h"
#include "alloc/stats/statistics.h"

namespace spillway::heap {

// Takes no lock; costs one pass over classes and thread caches.
void collect(stats::Snapshot& snapshot);

// kOff writes nothing.
void write_statistics(int descriptor, config::StatsFormat format);

// As the options stats and stats_file say. Programs close stderr before they end: the first call
// keeps a way to it, the second writes.
void prepare_exit_report();
void report_at_exit();

}  // namespace spillway::heap
