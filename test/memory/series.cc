// SPDX-License-Identifier: MIT
#include "bench/memory/series.h"

#include <boost/test/unit_test.hpp>

namespace bench {
namespace {

constexpr double kClose = 1e-9;  // per cent

BOOST_AUTO_TEST_SUITE(series)

BOOST_AUTO_TEST_CASE(a_line_has_its_own_slope) {
  BOOST_TEST(slope_of({{1, 100}, {2, 140}, {4, 220}, {64, 2620}}) == 40.0,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(slope_of({{1, 7}, {2, 7}, {64, 7}}) == 0.0);
  BOOST_TEST(slope_of({{1, 10}, {3, 4}}) == -3.0, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_point_off_the_line_counts_by_least_squares) {
  // Means 2 and 3; products of the distances -1*-3 + 0*0 + 1*3, squares 1 + 0 + 1.
  BOOST_TEST(slope_of({{1, 0}, {2, 3}, {3, 6}}) == 3.0, boost::test_tools::tolerance(1e-12));
  // The middle point alone does not tilt the line.
  BOOST_TEST(slope_of({{1, 0}, {2, 30}, {3, 6}}) == 3.0, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(slope_of({{0, 0}, {1, 1}, {2, 1}, {3, 4}}) == 1.2,
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(large_offsets_do_not_blur_the_slope) {
  BOOST_TEST(slope_of({{1e15 + 0, 5}, {1e15 + 8, 9}}) == 0.5, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_mean_weighs_by_time) {
  // 10 for one, then a slope to 20 for two, then 20 for one: 10 + 30 + 20 over 4.
  const std::vector<Point> points = {{0, 10}, {1, 10}, {3, 20}, {4, 20}};
  BOOST_CHECK_CLOSE(mean_between(points, 0, 4), 15, kClose);
  BOOST_CHECK_CLOSE(mean_between(points, 0, 1), 10, kClose);
  BOOST_CHECK_CLOSE(mean_between(points, 1, 3), 15, kClose);
}

BOOST_AUTO_TEST_CASE(a_mean_starts_and_ends_between_points) {
  const std::vector<Point> points = {{0, 0}, {10, 100}};
  BOOST_CHECK_CLOSE(mean_between(points, 2, 4), 30, kClose);
  BOOST_CHECK_CLOSE(mean_between(points, 9, 10), 95, kClose);
}

BOOST_AUTO_TEST_CASE(beyond_its_points_a_series_stays_what_it_was) {
  const std::vector<Point> points = {{10, 4}, {20, 8}};
  BOOST_CHECK_CLOSE(mean_between(points, 0, 10), 4, kClose);
  BOOST_CHECK_CLOSE(mean_between(points, 20, 90), 8, kClose);
  BOOST_CHECK_CLOSE(mean_between(points, 0, 30), (40 + 60 + 80) / 30.0, kClose);
  BOOST_CHECK_CLOSE(mean_between({{5, 3}}, 0, 10), 3, kClose);
  BOOST_CHECK_CLOSE(mean_between({{5, 3}}, 6, 10), 3, kClose);
  BOOST_CHECK_CLOSE(mean_between({{5, 3}}, 0, 4), 3, kClose);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
