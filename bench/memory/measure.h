// SPDX-License-Identifier: MIT
// Runs workloads, each in processes of its own that this one watches.
#pragma once

#include <functional>
#include <span>

#include "bench/memory/effort.h"
#include "bench/memory/report.h"
#include "bench/memory/workload.h"

namespace bench {

// The first argument of a workload's process, followed by the workload's name, the length's word
// and the number of repetitions.
inline constexpr const char* kInside = "--inside";

// One after the other. A workload that only waits has the next one beside it, unless that one takes
// times. `done` gets the results in the order of `workloads`, each as soon as it is there.
void measure_all(std::span<const Workload* const> workloads, const Length& length,
                 const std::function<void(const Result& result)>& done);

// What a workload's process does, from its arguments on; returns its exit status.
int run_inside(std::span<char* const> arguments);

}  // namespace bench
