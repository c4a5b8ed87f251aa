// SPDX-License-Identifier: MIT
// What a right command line gives; what a wrong one does is in test_programs.py.
#include "bench/command_line.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

namespace bench {
namespace {

CommandLine parsed(std::vector<const char*> arguments) {
  CommandLine line("bench_test", "a program");
  line.add_case_choice();
  line.add_number("runs", "how many");
  line.add_text("library", "which", "NAME");
  line.add_flag("quick", "less");
  arguments.insert(arguments.begin(), "bench_test");
  line.parse(static_cast<int>(arguments.size()), arguments.data());
  return line;
}

std::vector<std::string> chosen_of(const CommandLine& line) {
  const std::vector<std::string> all = {"pair/16B", "pair/1KiB", "empty"};
  return line.chosen(std::span(all), [](const std::string& one) { return one; });
}

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(nothing_is_given) {
  const CommandLine line = parsed({});
  BOOST_TEST(!line.smoke());
  BOOST_TEST(!line.flag("quick"));
  BOOST_TEST(line.text("json") == "");
  BOOST_TEST(line.texts("library").empty());
  BOOST_TEST(line.number("runs", 1, 10, 7) == 7);
  BOOST_TEST(chosen_of(line).size() == 3);
}

BOOST_AUTO_TEST_CASE(a_value_follows_or_is_joined) {
  const CommandLine line = parsed({"--runs", "10", "--library=a=b,c", "--quick", "--smoke"});
  BOOST_TEST(line.number("runs", 1, 10, 7) == 10);
  BOOST_TEST(line.text("library") == "a=b,c");
  BOOST_TEST(line.flag("quick"));
  BOOST_TEST(line.smoke());
}

BOOST_AUTO_TEST_CASE(the_last_value_counts_and_all_can_be_had) {
  const CommandLine line =
      parsed({"--library", "one", "--runs", "2", "--library", "two", "--runs", "3"});
  BOOST_TEST(line.number("runs", 1, 10, 7) == 3);
  BOOST_TEST(line.texts("library") == (std::vector<std::string>{"one", "two"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_filter_is_a_part_of_the_name) {
  BOOST_TEST(chosen_of(parsed({"--filter", "pair"})) ==
                 (std::vector<std::string>{"pair/16B", "pair/1KiB"}),
             boost::test_tools::per_element());
  BOOST_TEST(chosen_of(parsed({"--filter", "pty"})).size() == 1);
}

BOOST_AUTO_TEST_CASE(json_goes_where_it_should) {
  const CommandLine none = parsed({});
  JsonOutput nowhere(none);
  nowhere.write([](std::FILE*) { BOOST_TEST(false); });
  BOOST_TEST(nowhere.text_wanted());

  const CommandLine standard = parsed({"--json", "-"});
  BOOST_TEST(!JsonOutput(standard).text_wanted());

  char name[] = "/tmp/bench_json_XXXXXX";
  const int file = mkstemp(name);
  BOOST_REQUIRE(file >= 0);
  close(file);
  const CommandLine named = parsed({"--json", name});
  JsonOutput output(named);
  BOOST_TEST(output.text_wanted());
  output.write([](std::FILE* to) { std::fputs("{}", to); });
  std::ifstream written(name);
  BOOST_TEST(std::string(std::istreambuf_iterator<char>(written), {}) == "{}");
  unlink(name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
