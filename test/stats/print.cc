#include "alloc/stats/print.h"

#include <unistd.h>

#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>
#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>

namespace spillway::stats {
namespace {

Snapshot sample() {
  Snapshot snapshot;
  snapshot.pool_live_bytes = 123456789;
  snapshot.allocations_total = UINT64_MAX;
  snapshot.class_count = 2;
  snapshot.classes[1] = {
      .block_size = 4096, .free = 3, .live = 4, .cached = 3, .allocations_total = 99};
  snapshot.classes[2].block_size = 8192;
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
}

BOOST_AUTO_TEST_CASE(json_holds_every_statistic) {
  std::istringstream text(printed(print_json, sample()));
  boost::property_tree::ptree tree;
  read_json(text, tree);
  for (const Spec& spec : kSpecs) {
    BOOST_TEST(tree.count(std::string(spec.name)) == 1U, spec.name);
  }
  BOOST_TEST(tree.get<uint64_t>("allocations_total") == UINT64_MAX);
  BOOST_TEST(tree.get_child("classes").size() == 2U);
  BOOST_TEST(tree.get_child("classes").front().second.get<uint64_t>("live") == 4U);
}

BOOST_AUTO_TEST_CASE(prometheus_describes_every_metric_once) {
  const std::string text = printed(print_prometheus, sample());
  for (const Spec& spec : kSpecs) {
    const std::string type = "# TYPE spillway_" + std::string(spec.name) + " " +
                             (spec.kind == Kind::kCounter ? "counter" : "gauge") + "\n";
    const size_t first = text.find(type);
    BOOST_TEST(first != std::string::npos, spec.name);
    BOOST_TEST(text.find(type, first + 1) == std::string::npos);
  }
  BOOST_TEST(text.find("spillway_class_live{block_size=\"4096\"} 4\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::stats
