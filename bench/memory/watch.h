// Runs a workload in a fresh process of this program and watches its memory from outside, so that
// the process watched has no thread and no memory of the harness's. Not for use by several threads.
#pragma once

#include <string>
#include <vector>

#include "bench/memory/trace.h"

namespace bench {

// Where the workload's process writes its notes.
constexpr int kNotesFile = 3;

// How often memory is read, in ms.
constexpr int kSampleInterval = 5;

// `arguments` without the program's name. Ends this program if the other one fails.
Trace watch(const std::vector<std::string>& arguments);

}  // namespace bench
