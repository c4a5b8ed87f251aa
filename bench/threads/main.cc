// SPDX-License-Identifier: MIT
// bench_threads: what malloc and free cost when threads work at once or hand blocks over, under
// whichever allocator is preloaded.

#include <cstdio>
#include <span>
#include <vector>

#include "bench/command_line.h"
#include "bench/machine.h"
#include "bench/threads/apart.h"
#include "bench/threads/cases.h"
#include "bench/threads/summary.h"

int main(int argc, char** argv) {
  bench::CommandLine line("bench_threads", "malloc and free in threads that work at once");
  line.add_case_choice();
  line.add_number("repetitions", "timed repetitions of each case (default 30)");
  line.add_number("milliseconds", "length of one repetition (default 8)");
  line.parse(argc, argv);
  constexpr int kMax = 1'000'000;
  const bench::Effort effort{line.number("repetitions", 1, kMax, line.smoke() ? 2 : 30),
                             line.number("milliseconds", 1, kMax, line.smoke() ? 1 : 8)};
  const auto todo =
      line.chosen(std::span(bench::cases()), [](const auto& one) { return one.name; });
  bench::JsonOutput json(line);
  const bench::Facts facts = bench::run_facts();
  if (json.text_wanted()) {
    bench::print_heading(facts);
  }
  std::vector<bench::Result> results;
  for (const bench::Case& one : todo) {
    results.push_back(bench::summarize(one.name, one.threads, bench::run_apart(one, effort)));
    if (json.text_wanted()) {
      bench::print_result(results.back());
    }
  }
  json.write([&](std::FILE* file) { bench::write_json(file, facts, results); });
  return 0;
}
