// SPDX-License-Identifier: MIT
// Figures of a series of points. Not for the workload's own process.
#pragma once

#include <vector>

namespace bench {

struct Point {
  double x;
  double y;
};

// The mean of y from `from` to `to` along straight lines between the points, whose x ascend; before
// the first and after the last, y stays what it is there. `from` < `to`; there is a point.
double mean_between(const std::vector<Point>& points, double from, double to);

// By how much y grows with x: the slope of the line with the least squares of vertical distances.
// There are two points with different x.
double slope_of(const std::vector<Point>& points);

}  // namespace bench
