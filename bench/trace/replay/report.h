// SPDX-License-Identifier: MIT
// A replayed trace's figures as text and JSON. Not for timed code.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "bench/json.h"
#include "bench/spread.h"
#include "bench/trace/format.h"
#include "bench/trace/replay/plan.h"
#include "bench/trace/summary.h"

namespace bench::trace {

struct Result {
  std::string name;
  std::string program;
  std::size_t events;
  unsigned threads;
  Spread ns;          // per event, elapsed; in a fresh process
  Spread ns_again;    // the second time
  double peak;        // bytes; the median, as the next two
  double peak_ratio;  // to the most bytes asked for at once
  double faults;
  Summary summary;
};

// `outcomes` is not empty.
Result result_of(const std::string& name, const Recording& recording,
                 const std::vector<Outcome>& outcomes);

void print_heading(const Facts& facts);
void print_result(const Result& result);

// {"context": {...}, "results": [...]}
void write_json(std::FILE* file, const Facts& facts, const std::vector<Result>& results);

}  // namespace bench::trace
