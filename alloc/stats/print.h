// SPDX-License-Identifier: MIT
// A snapshot as text, but for what Output::finish() writes. Does not allocate.
#pragma once

#include "alloc/stats/output.h"
#include "alloc/stats/statistics.h"

namespace spillway::stats {

// For people: 80 columns, classes that were used. Begins with whose they are, as all of them do.
void print_text(const Snapshot& snapshot, Output& output);
// One object as statistics.schema.json describes it, ends with a newline.
void print_json(const Snapshot& snapshot, Output& output);
// The text exposition format, version 0.0.4; names start with spillway_. Classes that were used.
void print_prometheus(const Snapshot& snapshot, Output& output);

}  // namespace spillway::stats
