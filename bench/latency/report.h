// SPDX-License-Identifier: MIT
// A row's figures, their text and JSON. Not for timed code: allocates.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "bench/json.h"
#include "bench/latency/histogram.h"

namespace bench {

struct LatencyResult {
  std::string name;
  int threads;
  Histogram histogram;  // in ticks of the timer
  double ns_per_tick;
  double quiet;     // part of the repetitions that other programs left alone
  double switches;  // per thread and second: the kernel took the core away
};

void print_latency_heading(const Facts& facts);
void print_latency(const LatencyResult& result);

// {"context": {...}, "results": [{"name", "threads", "count", "quiet", "switches_per_second",
// "p50", ..., "max", "histogram": [[ns, count], ...]}]}. In the histogram ns is the largest value
// of a bucket, buckets without a count are left out.
void write_latencies(std::FILE* file, const Facts& facts,
                     const std::vector<LatencyResult>& results);

// Nanoseconds in at most six characters: "850ns", "1.23us", "45.6ms".
std::string short_time(double ns);

}  // namespace bench
