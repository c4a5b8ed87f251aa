// SPDX-License-Identifier: MIT
// bench_memory: how much memory programs cost and what its use costs, under whichever allocator is
// preloaded. Every workload runs in a fresh process of this same program, which this one watches.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <span>
#include <vector>

#include "bench/command_line.h"
#include "bench/machine.h"
#include "bench/memory/measure.h"
#include "bench/memory/report.h"
#include "bench/memory/workload.h"

namespace {

using bench::Workload;

bench::Length length_of(const bench::CommandLine& line) {
  bench::Length length = line.smoke()         ? bench::kSmoke
                         : line.flag("quick") ? bench::kQuick
                                              : bench::kFull;
  const int repetitions = line.number("repetitions", 1, 1000, 0);
  if (repetitions != 0) {
    length.effort.repetitions = length.effort.processes = repetitions;
  }
  return length;
}

// What the command line has a choice from.
std::vector<const Workload*> offered(const bench::CommandLine& line) {
  std::vector<const Workload*> found;
  std::copy_if(std::begin(bench::kWorkloads), std::end(bench::kWorkloads),
               std::back_inserter(found),
               [&line](const Workload* one) { return one->quick || !line.flag("quick"); });
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything else, so that the process has no memory but the workload's.
  if (argc > 1 && std::strcmp(argv[1], bench::kInside) == 0) {
    return bench::run_inside(std::span(argv, argv + argc).subspan(2));
  }
  bench::CommandLine line("bench_memory", "how much memory programs cost, and what its use costs");
  line.add_case_choice();
  line.add_number(
      "repetitions",
      "timed repetitions but of churn (default 5, quick 3); for fill, processes (default 3)");
  line.add_flag("quick", "less of everything, and only the workloads that mean something then");
  line.parse(argc, argv);
  const bench::Length length = length_of(line);
  const std::vector<const Workload*> all = offered(line);
  const auto todo =
      line.chosen(std::span(all), [](const Workload* one) { return std::string(one->name); });
  bench::JsonOutput json(line);
  const bench::Facts facts = bench::run_facts();
  if (json.text_wanted()) {
    bench::print_heading(facts);
  }
  std::vector<bench::Result> results;
  bench::measure_all(todo, length, [&](const bench::Result& result) {
    results.push_back(result);
    if (json.text_wanted()) {
      bench::print_result(result);
    }
  });
  json.write([&](std::FILE* file) { bench::write_json(file, facts, results); });
  return 0;
}
