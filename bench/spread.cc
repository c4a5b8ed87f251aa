// SPDX-License-Identifier: MIT
#include "bench/spread.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace bench {

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&values](double share) {
    const double rank = share * static_cast<double>(values.size() - 1);
    return values[static_cast<std::size_t>(std::lround(rank))];
  };
  return {values.front(), at(0.1), at(0.5), at(0.9)};
}

std::string json_spread(const Spread& spread) {
  char text[160];
  std::snprintf(text, sizeof text, R"({"min": %.3f, "p10": %.3f, "median": %.3f, "p90": %.3f})",
                spread.min, spread.p10, spread.median, spread.p90);
  return text;
}

}  // namespace bench
