// SPDX-License-Identifier: MIT
#include "bench/rows/rows.h"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/machine.h"
#include "bench/threads/summary.h"

namespace bench {
namespace {

Effort effort{.repetitions = 15, .milliseconds = 8};

// "--name=N" with N from 1 to a million into `value`; false when `argument` is something else.
bool take_number(std::string_view argument, std::string_view name, int& value) {
  if (!argument.starts_with(name)) {
    return false;
  }
  char* end = nullptr;
  const std::string text(argument.substr(name.size()));
  const long number = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || number < 1 || number > 1'000'000) {
    std::fprintf(stderr, "not a number from 1 to 1000000: '%s'\n", text.c_str());
    std::exit(2);
  }
  value = static_cast<int>(number);
  return true;
}

}  // namespace

void register_crew_row(const std::string& name, std::function<std::unique_ptr<Work>()> make) {
  const auto row = [name, make = std::move(make)](benchmark::State& state) {
    for ([[maybe_unused]] auto step : state) {
      const auto work = make();
      const Result result = summarize(name, work->threads(), run_crew(*work, effort));
      state.SetIterationTime(result.wall.median * 1e-9);
      state.counters["quiet"] = result.quiet;
    }
  };
  benchmark::RegisterBenchmark(name.c_str(), row)->UseManualTime()->Iterations(1);
}

int run_rows(int argc, char** argv, void (*register_rows)()) {
  std::string short_time = "--benchmark_min_time=0.001";
  std::vector<char*> arguments;
  for (int i = 0; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--smoke") {
      arguments.push_back(short_time.data());
      effort = {.repetitions = 1, .milliseconds = 1};
    } else if (!take_number(argv[i], "--repetitions=", effort.repetitions) &&
               !take_number(argv[i], "--milliseconds=", effort.milliseconds)) {
      arguments.push_back(argv[i]);
    }
  }
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) {
    return 2;
  }
  for (const auto& [name, value] : run_facts()) {
    benchmark::AddCustomContext(name, value);
  }
  register_rows();
  return benchmark::RunSpecifiedBenchmarks() == 0 ? 1 : 0;
}

}  // namespace bench
