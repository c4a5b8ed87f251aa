// SPDX-License-Identifier: MIT
#include "bench/memory/series.h"

#include <algorithm>

namespace bench {
namespace {

// y at `x` on the line through both points.
double between(const Point& left, const Point& right, double x) {
  return left.y + (right.y - left.y) * (x - left.x) / (right.x - left.x);
}

}  // namespace

double mean_between(const std::vector<Point>& points, double from, double to) {
  double area = points.front().y * std::max(0.0, std::min(to, points.front().x) - from) +
                points.back().y * std::max(0.0, to - std::max(from, points.back().x));
  for (std::size_t i = 1; i < points.size(); ++i) {
    const double start = std::max(from, points[i - 1].x);
    const double end = std::min(to, points[i].x);
    if (start < end) {
      const double middle = between(points[i - 1], points[i], (start + end) / 2);
      area += middle * (end - start);
    }
  }
  return area / (to - from);
}

double slope_of(const std::vector<Point>& points) {
  Point centre{0, 0};
  for (const Point& point : points) {
    centre.x += point.x / static_cast<double>(points.size());
    centre.y += point.y / static_cast<double>(points.size());
  }
  double products = 0;
  double squares = 0;
  for (const Point& point : points) {
    products += (point.x - centre.x) * (point.y - centre.y);
    squares += (point.x - centre.x) * (point.x - centre.x);
  }
  return products / squares;
}

}  // namespace bench
