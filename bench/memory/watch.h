// SPDX-License-Identifier: MIT
// Runs a workload in a fresh process of this program and watches its memory from outside, so that
// the process watched has no thread and no memory of the harness's.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/memory/trace.h"

namespace bench {

// Where the workload's process writes its notes.
constexpr int kNotesFile = 3;

// How often memory is read, in ms.
constexpr int kSampleInterval = 5;

// `arguments` without the program's name. Calls `waiting` once: when the workload notes that it
// only waits, or at its end. Ends this program if the other one fails. Several threads may watch, a
// process each.
Trace watch(const std::vector<std::string>& arguments, const std::function<void()>& waiting);

}  // namespace bench
