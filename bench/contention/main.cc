// SPDX-License-Identifier: MIT
// bench_contention: counts what an allocator does that keeps threads from scaling, under whichever
// is preloaded: atomic instructions, cache lines that go from thread to thread, system calls.
// Counts do not depend on how many processors there are, so that a small machine tells of large
// ones.

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "bench/command_line.h"
#include "bench/contention/measure.h"
#include "bench/contention/native.h"
#include "bench/contention/report.h"
#include "bench/contention/rows.h"
#include "bench/loaded_allocator.h"
#include "bench/machine.h"

namespace {

namespace contention = bench::contention;

constexpr contention::Effort kFull{16384, 12000, 2};
constexpr contention::Effort kQuick{8192, 4000, 2};
constexpr contention::Effort kSmoke{256, 500, 1};

constexpr int kMaxCores = 1024;  // as many as a cpu_set_t has room for
constexpr int kMaxGib = 1 << 16;
constexpr unsigned kGibPerCore = 4;  // as most servers have, or more

}  // namespace

int main(int argc, char** argv) {
  if (const char* missing = contention::missing_for_native(); missing != nullptr) {
    std::fprintf(stderr, "bench_contention: %s\n", missing);
    return 77;
  }
  contention::count_if_asked_to(argc, argv);
  bench::CommandLine line("bench_contention",
                          "Counts of what stops an allocator's threads from scaling.");
  line.add_case_choice();
  line.add_flag("quick", "fewer calls: a third, but two rounds of each thread's blocks");
  line.add_number("seed", "of the sizes and of the interleaving (default 1)");
  line.add_number("cores", "processors that the allocator is told of (default: a row's threads)");
  line.add_number("memory", "GiB that it is told of (default: 4 for each of the processors)");
  line.add_number("where", "name the N instructions with the most of each count");
  line.parse(argc, argv);
  if (line.smoke() && line.flag("quick")) {
    line.fail("--smoke and --quick exclude each other");
  }
  contention::Settings settings{kFull, static_cast<uint64_t>(line.number("seed", 0, 1'000'000, 1)),
                                0, 0, static_cast<unsigned>(line.number("where", 1, 1000, 0))};
  settings.effort = line.smoke() ? kSmoke : line.flag("quick") ? kQuick : kFull;
  const auto cores = static_cast<unsigned>(line.number("cores", 1, kMaxCores, 0));
  const auto memory = static_cast<unsigned>(line.number("memory", 1, kMaxGib, 0));
  const auto todo =
      line.chosen(contention::rows(), [](const contention::Row& row) { return row.name; });
  bench::JsonOutput json(line);
  bench::Facts facts = bench::run_facts();
  facts.emplace_back("addresses", contention::fix_addresses() ? "fixed" : "random (refused)");
  const std::string malloc_from = bench::loaded_allocator().file;
  if (json.text_wanted()) {
    contention::print_heading(facts);
  }
  std::vector<contention::Result> results;
  for (const contention::Row& row : todo) {
    settings.cores = cores != 0 ? cores : row.plan.threads;
    settings.memory_gib = memory != 0 ? memory : kGibPerCore * settings.cores;
    results.push_back(contention::measure(row, settings));
    if (results.back().malloc_from != malloc_from) {
      line.fail(row.name + " met " + results.back().malloc_from + ", not " + malloc_from);
    }
    if (json.text_wanted()) {
      contention::print_result(results.back());
    }
  }
  json.write([&](std::FILE* file) { contention::write_json(file, facts, results); });
  return 0;
}
