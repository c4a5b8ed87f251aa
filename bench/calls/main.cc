// SPDX-License-Identifier: MIT
// bench_calls: single calls, measured by Google Benchmark, under whichever allocator is preloaded.
// Takes Google Benchmark's options, and --smoke: each row for a millisecond, to see that it runs.
// The allocator and the machine are in the output's context, also in JSON.

#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <vector>

#include "bench/calls/kinds.h"
#include "bench/machine.h"

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  std::string short_time = "--benchmark_min_time=0.001";
  for (char*& argument : arguments) {
    if (std::strcmp(argument, "--smoke") == 0) {
      argument = short_time.data();
    }
  }
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) {
    return 2;
  }
  for (const auto& [name, value] : bench::run_facts()) {
    benchmark::AddCustomContext(name, value);
  }
  bench::register_pairs();
  bench::register_edges();
  bench::register_touched();
  bench::register_batches();
  bench::register_zeroed();
  bench::register_aligned();
  bench::register_mixed();
  bench::register_tenants();
  return benchmark::RunSpecifiedBenchmarks() == 0 ? 1 : 0;
}
