// SPDX-License-Identifier: MIT
#include "spillway/pool_statistics.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <set>
#include <sstream>
#include <string>

#include "alloc/stats/statistics.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

// Every field has a value of its own.
PoolStatistics sample() {
  PoolStatistics statistics;
  statistics.allocations = 40;
  statistics.recycles = 30;
  statistics.misses = 10;
  statistics.oversized = 3;
  statistics.unpooled = UINT64_MAX;
  statistics.live_bytes = 150;
  statistics.classes = {{.name = "small",
                         .size = 4096,
                         .allocations = 201,
                         .created = 202,
                         .hits = 203,
                         .exhausted = 204,
                         .live = 205,
                         .cached = 206,
                         .free = 207},
                        {.name = "65536", .size = 65536, .hits = 303}};
  statistics.tenants = {
      {.name = "alpha", .live_bytes = 100, .soft_limit_bytes = 90, .soft_limit_exceeded_total = 7},
      {.name = "beta", .live_bytes = 50}};
  return statistics;
}

// The metrics in the order of their TYPE lines; each must have its HELP line before it.
std::multiset<std::string> metrics_of(const std::string& text) {
  std::multiset<std::string> names;
  std::istringstream lines(text);
  std::string helped;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash;
    std::string what;
    std::string name;
    words >> hash >> what >> name;
    if (hash == "#" && what == "HELP") {
      helped = name;
    } else if (hash == "#") {
      BOOST_TEST(what == "TYPE");
      BOOST_TEST(name == helped);
      names.insert(name);
    }
  }
  return names;
}

BOOST_AUTO_TEST_SUITE(pool_statistics)

BOOST_AUTO_TEST_CASE(a6_recycle_rate_is_the_share_of_recycles) {
  BOOST_TEST(sample().recycle_rate() == 0.75);
}

BOOST_AUTO_TEST_CASE(a6_recycle_rate_of_nothing_is_zero) {
  BOOST_TEST(PoolStatistics().recycle_rate() == 0.0);
}

BOOST_AUTO_TEST_CASE(b9_each_field_is_a_metric) {
  const std::string text = sample().prometheus();
  for (const char* line : {"spillway_pool_allocations_total 40",
                           "spillway_pool_recycles_total 30",
                           "spillway_pool_misses_total 10",
                           "spillway_pool_oversized_total 3",
                           "spillway_pool_unpooled_total 18446744073709551615",
                           "spillway_pool_tenants_live_bytes 150",
                           "spillway_pool_class_size_bytes{class=\"small\"} 4096",
                           "spillway_pool_class_allocations_total{class=\"small\"} 201",
                           "spillway_pool_class_created_total{class=\"small\"} 202",
                           "spillway_pool_class_hits_total{class=\"small\"} 203",
                           "spillway_pool_class_hits_total{class=\"65536\"} 303",
                           "spillway_pool_class_exhausted_total{class=\"small\"} 204",
                           "spillway_pool_class_misses_total{class=\"small\"} 406",
                           "spillway_pool_class_live{class=\"small\"} 205",
                           "spillway_pool_class_cached{class=\"small\"} 206",
                           "spillway_pool_class_free{class=\"small\"} 207",
                           "spillway_pool_tenant_live_bytes{tenant_id=\"alpha\"} 100",
                           "spillway_pool_tenant_live_bytes{tenant_id=\"beta\"} 50",
                           "spillway_pool_tenant_soft_limit_bytes{tenant_id=\"alpha\"} 90",
                           "spillway_pool_soft_limit_exceeded_total{tenant_id=\"alpha\"} 7",
                           "spillway_pool_soft_limit_exceeded_total{tenant_id=\"beta\"} 0"}) {
    BOOST_TEST(has_line(text, line), line);
  }
}

BOOST_AUTO_TEST_CASE(b9_each_metric_is_described_once) {
  const std::string text = sample().prometheus();
  const std::multiset<std::string> names = metrics_of(text);
  BOOST_TEST(names.size() == 18U);
  for (const std::string& name : names) {
    BOOST_TEST(names.count(name) == 1U, name);
    BOOST_TEST(name.starts_with("spillway_pool_"), name);
    const std::string type = name.ends_with("_total") ? "counter" : "gauge";
    BOOST_TEST(has_line(text, "# TYPE " + name + ' ' + type), name);
  }
}

BOOST_AUTO_TEST_CASE(b9_samples_follow_the_description_of_their_metric) {
  std::istringstream lines(sample().prometheus());
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      name = line.substr(7, line.rfind(' ') - 7);
    } else if (!line.starts_with('#')) {
      BOOST_TEST(line.substr(0, line.find_first_of("{ ")) == name);
    }
  }
}

BOOST_AUTO_TEST_CASE(b9_no_metric_has_the_name_of_one_of_the_process) {
  const std::multiset<std::string> names = metrics_of(sample().prometheus());
  for (const stats::Spec& spec : stats::kSpecs) {
    BOOST_TEST(!names.contains("spillway_" + std::string(spec.name)), spec.name);
  }
}

BOOST_AUTO_TEST_CASE(b9_labels_are_escaped) {
  PoolStatistics statistics;
  statistics.classes = {{.name = "a\"b", .hits = 1}};
  statistics.tenants = {{.name = "x\\y\"z\nnext", .live_bytes = 2},
                        {.name = "no\xffutf", .live_bytes = 3}};
  const std::string text = statistics.prometheus();
  BOOST_TEST(has_line(text, R"(spillway_pool_class_hits_total{class="a\"b"} 1)"));
  BOOST_TEST(has_line(text, R"(spillway_pool_tenant_live_bytes{tenant_id="x\\y\"z\nnext"} 2)"));
  // A scraper refuses all of a text that is no UTF-8.
  BOOST_TEST(has_line(text, "spillway_pool_tenant_live_bytes{tenant_id=\"no\xef\xbf\xbdutf\"} 3"));
}

BOOST_AUTO_TEST_CASE(b9_the_text_ends_with_a_newline) {
  BOOST_TEST(PoolStatistics().prometheus().ends_with('\n'));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway
