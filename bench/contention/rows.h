// SPDX-License-Identifier: MIT
// The table of what bench_contention counts: the only place that knows the workloads' parameters.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "bench/contention/workload.h"

namespace bench::contention {

struct Row {
  std::string name;  // contention/KIND/BLOCKS/SIZES/THREADSt
  Plan plan;         // its seed is not set
  std::unique_ptr<Workload> (*make)(const Plan& plan);
};

// In the order in which they are counted.
std::span<const Row> rows();

// Null if there is none of this name.
const Row* find_row(const std::string& name);

}  // namespace bench::contention
