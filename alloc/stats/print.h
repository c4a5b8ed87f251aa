// A snapshot as text. Does not allocate.
#pragma once

#include "alloc/stats/statistics.h"

namespace spillway::stats {

// For people: 80 columns, classes that were used.
void print_text(const Snapshot& snapshot, int descriptor);
// One object, ends with a newline.
void print_json(const Snapshot& snapshot, int descriptor);
// The text exposition format, version 0.0.4; names start with spillway_.
void print_prometheus(const Snapshot& snapshot, int descriptor);

}  // namespace spillway::stats
