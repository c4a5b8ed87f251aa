// SPDX-License-Identifier: MIT
// A case's samples as order statistics, and their text and JSON. Not for timed code.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "bench/json.h"
#include "bench/spread.h"
#include "bench/threads/crew.h"

namespace bench {

struct Result {
  std::string name;
  int threads;
  Spread wall;  // ns per operation, see Sample
  Spread cpu;
  double faults;  // median
  double quiet;   // part of the repetitions that other programs left alone
};

// Repetitions in which a thread queued for its core for more than kDisturbed of its time are left
// out; where fewer than kFewest would remain, the least disturbed kFewest count.
constexpr double kDisturbed = 0.02;
Result summarize(std::string name, int threads, const std::vector<Sample>& samples);

void print_heading(const Facts& facts);
void print_result(const Result& result);

// {"context": {...}, "results": [...]}
void write_json(std::FILE* file, const Facts& facts, const std::vector<Result>& results);

}  // namespace bench
