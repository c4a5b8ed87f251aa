// SPDX-License-Identifier: MIT
#include "alloc/stats/exposition.h"

#include <boost/test/unit_test.hpp>

namespace spillway::stats {
namespace {

using Text = Line<500>;

BOOST_AUTO_TEST_SUITE(exposition)

BOOST_AUTO_TEST_CASE(labels_hold_any_byte) {
  Text line;
  put_label(line, "a\"b\\c\nd\xff\t");
  BOOST_TEST(line.view() == "a\\\"b\\\\c\\nd\xef\xbf\xbd\t");
}

BOOST_AUTO_TEST_CASE(a_metric_is_described_in_two_lines) {
  Text line;
  put_description(line, "spillway_", {"pages_total", Kind::kCounter, "pages so far"});
  BOOST_TEST(line.view() ==
             "# HELP spillway_pages_total pages so far\n# TYPE spillway_pages_total counter\n");
  line.clear();
  put_description(line, "spillway_", {"pages", Kind::kOptionalGauge, "pages now"});
  BOOST_TEST(line.view() == "# HELP spillway_pages pages now\n# TYPE spillway_pages gauge\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::stats
