// SPDX-License-Identifier: MIT
#include "bench/threads/summary.h"

#include <algorithm>
#include <utility>

#include "bench/machine.h"

namespace bench {
namespace {

std::vector<double> column(const std::vector<Sample>& samples, double Sample::*field) {
  std::vector<double> values;
  for (const Sample& sample : samples) {
    values.push_back(sample.*field);
  }
  return values;
}

void write_one(std::FILE* file, const Result& result) {
  std::fprintf(file,
               "{\"name\": %s, \"threads\": %d, \"wall_ns\": %s, \"cpu_ns\": %s, "
               "\"faults_per_operation\": %.5f, \"quiet\": %.3f}",
               json_string(result.name).c_str(), result.threads, json_spread(result.wall).c_str(),
               json_spread(result.cpu).c_str(), result.faults, result.quiet);
}

}  // namespace

Result summarize(std::string name, int threads, const std::vector<Sample>& samples) {
  std::vector<Sample> used = samples;
  std::stable_sort(used.begin(), used.end(),
                   [](const Sample& a, const Sample& b) { return a.queued < b.queued; });
  const auto disturbed = std::find_if(
      used.begin(), used.end(), [](const Sample& sample) { return sample.queued > kDisturbed; });
  const auto quiet = static_cast<std::size_t>(disturbed - used.begin());
  used.resize(std::min(used.size(), std::max(quiet, kFewest)), Sample{});
  return {std::move(name),
          threads,
          spread_of(column(used, &Sample::wall_ns)),
          spread_of(column(used, &Sample::cpu_ns)),
          spread_of(column(used, &Sample::faults)).median,
          static_cast<double>(quiet) / static_cast<double>(samples.size())};
}

void print_heading(const Facts& facts) {
  print_facts(facts);
  std::printf("\n%-27s %8s %8s %8s %8s %8s %6s %5s\n", "ns per operation", "min", "p10", "median",
              "p90", "cpu", "faults", "quiet");
}

void print_result(const Result& result) {
  std::printf("%-27s %8.1f %8.1f %8.1f %8.1f %8.1f %6.2f %4.0f%%\n", result.name.c_str(),
              result.wall.min, result.wall.p10, result.wall.median, result.wall.p90,
              result.cpu.median, result.faults, 100 * result.quiet);
  std::fflush(stdout);
}

void write_json(std::FILE* file, const Facts& facts, const std::vector<Result>& results) {
  write_results(file, facts, results, write_one);
}

}  // namespace bench
