// SPDX-License-Identifier: MIT
// The output of bench_contention.
#pragma once

#include <cstdio>
#include <vector>

#include "bench/contention/measure.h"
#include "bench/json.h"

namespace bench::contention {

void print_heading(const Facts& facts);
void print_result(const Result& result);

// Counts per million operations but `instructions`, which are per operation, and `shared_lines`, a
// number of lines. `calls` and `sites` are as counted, in `operations`.
void write_json(std::FILE* file, const Facts& facts, const std::vector<Result>& results);

}  // namespace bench::contention
