// SPDX-License-Identifier: MIT
// Order statistics of repeated measurements, and their JSON. Not for timed code.
#pragma once

#include <string>
#include <vector>

namespace bench {

struct Spread {
  double min, p10, median, p90;
};

// Nearest rank. `values` is not empty.
Spread spread_of(std::vector<double> values);

std::string json_spread(const Spread& spread);

}  // namespace bench
