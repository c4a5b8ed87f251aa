// SPDX-License-Identifier: MIT
// The table of what bench_latency measures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/latency/workload.h"

namespace bench {

struct LatencyRow {
  Kind kind;
  std::string_view sizes;
  SizeRange range;
  int threads;

  // latency/KIND/SIZES/THREADSt
  std::string name() const;
  // Rows of one run.
  bool runs_with(const LatencyRow& other) const {
    return threads == other.threads && sizes == other.sizes;
  }
};

// Those of one run stand together.
std::vector<LatencyRow> latency_rows();

}  // namespace bench
