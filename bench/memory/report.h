// SPDX-License-Identifier: MIT
// A workload's rows and traces as text and JSON.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "bench/json.h"
#include "bench/memory/workload.h"

namespace bench {

struct Result {
  std::string name;
  std::vector<Row> rows;
  std::vector<Trace> traces;
};

void print_heading(const Facts& facts);
void print_result(const Result& result);

// {"context": {...}, "results": [...]}; each result has its rows and, per process, resident memory
// over time and, if the workload noted it, what was live.
void write_json(std::FILE* file, const Facts& facts, const std::vector<Result>& results);

}  // namespace bench
