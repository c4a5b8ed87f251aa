// SPDX-License-Identifier: MIT
// The table of what bench_threads measures: the only place that knows the workloads' parameters.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/threads/crew.h"

namespace bench {

struct Case {
  std::string name;  // also the row's name for scripts/bench
  int threads;
  std::function<std::unique_ptr<Work>()> make;
};

// In the order in which they run.
const std::vector<Case>& cases();

}  // namespace bench
