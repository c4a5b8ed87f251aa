// SPDX-License-Identifier: MIT
#include "alloc/stats/print.h"

#include <unistd.h>

#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>
#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace spillway::stats {
namespace {

Snapshot sample() {
  Snapshot snapshot;
  snapshot.identity = {.program = "na\"me\xff",
                       .process = 4711,
                       .version = 10203,
                       .started_at_ns = 1'764'493'200'250'000'000,
                       .taken_at_ns = 1'764'493'201'500'000'000};
  snapshot.process_resident_bytes = kUnknown;
  snapshot.pool_live_bytes = 123456789;
  snapshot.allocations_total = UINT64_MAX;
  snapshot.class_count = 2;
  snapshot.classes[1] = {.block_size = 4096,
                         .free = 3,
                         .live = 4,
                         .cached = 3,
                         .allocations_total = 99,
                         .requested_estimate_bytes = kUnknown};
  snapshot.classes[2].block_size = 8192;
  return snapshot;
}

// Two tenants; a third is being made.
Snapshot sample_with_tenants() {
  Snapshot snapshot = sample();
  snapshot.last_tenant = 3;
  snapshot.read_tenant = [](int tenant, TenantSnapshot& usage) {
    usage = {.tenant = tenant == 1 ? "cache" : "web",
             .live_bytes = static_cast<uint64_t>(tenant) * 1000000007,
             .live_blocks = 12,
             .peak_bytes = 99999999999,
             .soft_limit_bytes = 1ULL << 39,
             .soft_limit_exceeded_total = 77};
    return tenant != 2;
  };
  return snapshot;
}

template <typename Print>
std::string printed(Print print, const Snapshot& snapshot) {
  char name[] = "/tmp/spillway_print_XXXXXX";
  const int descriptor = mkstemp(name);
  BOOST_REQUIRE(descriptor >= 0);
  unlink(name);
  Output::Text text_buffer;
  Output output(descriptor, text_buffer);
  print(snapshot, output);
  BOOST_TEST(output.finish());
  std::string text(static_cast<size_t>(lseek(descriptor, 0, SEEK_END)), '\0');
  BOOST_REQUIRE(pread(descriptor, text.data(), text.size(), 0) ==
                static_cast<ssize_t>(text.size()));
  close(descriptor);
  return text;
}

BOOST_AUTO_TEST_SUITE(print)

BOOST_AUTO_TEST_CASE(text_fits_a_terminal_and_leaves_unused_classes_out) {
  const std::string text = printed(print_text, sample());
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    BOOST_TEST(line.size() <= 80U);
  }
  BOOST_TEST(text.find("123456789") != std::string::npos);
  BOOST_TEST(text.find(" 4096 ") != std::string::npos);
  BOOST_TEST(text.find(" 8192 ") == std::string::npos);
  BOOST_TEST(text.find("unknown\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(text_says_whose_it_is) {
  const std::string text = printed(print_text, sample());
  BOOST_TEST(text.starts_with("spillway: statistics\n  program "));
  for (const char* value : {"na\"me\xef\xbf\xbd", "4711", "1.2.3", "2025-11-30T09:00:00.250Z",
                            "2025-11-30T09:00:01.500Z"}) {
    BOOST_TEST(text.find(' ' + std::string(value) + '\n') != std::string::npos, value);
  }
}

BOOST_AUTO_TEST_CASE(text_has_a_row_for_each_tenant) {
  BOOST_TEST(printed(print_text, sample()).find("tenant") == std::string::npos);
  const std::string text = printed(print_text, sample_with_tenants());
  std::istringstream lines(text);
  int rows = 0;
  for (std::string line; std::getline(lines, line);) {
    BOOST_TEST(line.size() <= 80U);
    rows += line.find("99999999999") != std::string::npos ? 1 : 0;
  }
  BOOST_TEST(rows == 2);
  const auto row = [](std::string line, const std::vector<std::string>& columns) {
    for (const std::string& column : columns) {
      line += std::string(13 - column.size(), ' ') + column;
    }
    return line + "\n";
  };
  BOOST_TEST(
      text.find(row("  tenant       ", {"live bytes", "blocks", "peak", "soft limit", "exceeded"}) +
                row("  cache        ", {"1000000007", "12", "99999999999", "549755813888",
                                        "77"})) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(json_and_prometheus_have_every_tenant) {
  std::istringstream text(printed(print_json, sample_with_tenants()));
  boost::property_tree::ptree tree;
  read_json(text, tree);
  BOOST_REQUIRE(tree.get_child("tenants").size() == 2U);
  const auto& first = tree.get_child("tenants").front().second;
  BOOST_TEST(first.get<std::string>("tenant") == "cache");
  BOOST_TEST(first.get<uint64_t>("live_bytes") == 1000000007U);
  const std::string prometheus = printed(print_prometheus, sample_with_tenants());
  for (const Spec& spec : kTenantSpecs) {
    BOOST_TEST(first.count(std::string(spec.name)) == 1U, spec.name);
    const std::string name = "spillway_tenant_" + std::string(spec.name);
    const std::string type =
        "# TYPE " + name + " " + (spec.kind == Kind::kCounter ? "counter" : "gauge") + "\n";
    BOOST_TEST(prometheus.find(type) != std::string::npos, spec.name);
    BOOST_TEST(prometheus.find("\n" + name + "{program=") != std::string::npos, spec.name);
  }
  BOOST_TEST(prometheus.find(",tenant=\"web\"} 3000000021\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(json_holds_every_statistic) {
  std::istringstream text(printed(print_json, sample()));
  boost::property_tree::ptree tree;
  read_json(text, tree);
  for (const Spec& spec : kSpecs) {
    BOOST_TEST(tree.count(std::string(spec.name)) == 1U, spec.name);
  }
  BOOST_TEST(tree.get<std::string>("program") == "na\"me\xef\xbf\xbd");
  BOOST_TEST(tree.get<uint64_t>("pid") == 4711U);
  BOOST_TEST(tree.get<std::string>("version") == "1.2.3");
  BOOST_TEST(tree.get<std::string>("start_time") == "1764493200.250");
  BOOST_TEST(tree.get<std::string>("time") == "1764493201.500");
  BOOST_TEST(tree.get<std::string>("process_resident_bytes") == "null");
  BOOST_TEST(tree.get<uint64_t>("allocations_total") == UINT64_MAX);
  BOOST_TEST(tree.get_child("classes").size() == 2U);
  BOOST_TEST(tree.get_child("classes").front().second.get<uint64_t>("live") == 4U);
  BOOST_TEST(tree.count("tenants") == 1U);
}

BOOST_AUTO_TEST_CASE(the_longest_program_name_fits) {
  const std::string name(255, '\x01');
  Snapshot snapshot = sample();
  snapshot.identity.program = name;
  std::istringstream json(printed(print_json, snapshot));
  boost::property_tree::ptree tree;
  read_json(json, tree);
  BOOST_TEST(tree.get<std::string>("program") == name);
  const std::string bad(255, '\xff');
  snapshot.identity.program = bad;
  const std::string text = printed(print_prometheus, snapshot);
  BOOST_TEST(text.ends_with("\n"));
  size_t found = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    found += line.find("\xef\xbf\xbd\",pid=\"4711\"") != std::string::npos ? 1U : 0U;
    BOOST_TEST((line[0] == '#' || line.find("} ") != std::string::npos));
  }
  BOOST_TEST(found > std::size(kSpecs));
}

BOOST_AUTO_TEST_CASE(prometheus_describes_every_metric_once) {
  const std::string text = printed(print_prometheus, sample());
  for (const Spec& spec : kSpecs) {
    const std::string type = "# TYPE spillway_" + std::string(spec.name) + " " +
                             (spec.kind == Kind::kCounter ? "counter" : "gauge") + "\n";
    const size_t first = text.find(type);
    if (spec.name == "process_resident_bytes") {
      BOOST_TEST(first == std::string::npos);  // unknown
      continue;
    }
    BOOST_TEST(first != std::string::npos, spec.name);
    BOOST_TEST(text.find(type, first + 1) == std::string::npos);
  }
  const std::string whose = "{program=\"na\\\"me\xef\xbf\xbd\",pid=\"4711\"";
  for (const std::string& sample : {"spillway_build_info" + whose + ",version=\"1.2.3\"} 1\n",
                                    "spillway_start_time_seconds" + whose + "} 1764493200.250\n",
                                    "spillway_snapshot_time_seconds" + whose + "} 1764493201.500\n",
                                    "spillway_pool_live_bytes" + whose + "} 123456789\n",
                                    "spillway_class_live" + whose + ",block_size=\"4096\"} 4\n"}) {
    BOOST_TEST(text.find('\n' + sample) != std::string::npos, sample);
  }
  BOOST_TEST(text.find("block_size=\"8192\"") == std::string::npos);  // never used
  BOOST_TEST(text.find("spillway_class_requested_estimate_bytes") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::stats
