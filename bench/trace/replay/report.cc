// SPDX-License-Identifier: MIT
#include "bench/trace/replay/report.h"

#include <algorithm>

#include "bench/machine.h"
#include "bench/sizes.h"

namespace bench::trace {
namespace {

double in_mib(double bytes) { return bytes / static_cast<double>(kMiB); }

template <typename Value>
std::vector<double> column(const std::vector<Outcome>& outcomes, Value value) {
  std::vector<double> values;
  for (const Outcome& outcome : outcomes) {
    values.push_back(value(outcome));
  }
  return values;
}

void write_one(std::FILE* file, const Result& result) {
  std::fprintf(file, "{\"name\": %s, \"program\": %s, \"events\": %zu, \"threads\": %u,\n",
               json_string(result.name).c_str(), json_string(result.program).c_str(), result.events,
               result.threads);
  std::fprintf(file, "   \"ns\": %s,\n   \"ns_again\": %s,\n", json_spread(result.ns).c_str(),
               json_spread(result.ns_again).c_str());
  std::fprintf(file, "   \"peak_mib\": %.3f, \"peak_ratio\": %.3f, \"faults\": %.0f}",
               in_mib(result.peak), result.peak_ratio, result.faults);
}

}  // namespace

Result result_of(const std::string& name, const Recording& recording,
                 const std::vector<Outcome>& outcomes) {
  const auto events = static_cast<double>(std::max<std::size_t>(recording.events.size(), 1));
  Result result{};
  result.name = name;
  result.program = recording.program;
  result.events = recording.events.size();
  result.threads = recording.threads;
  result.summary = summarize(recording);
  result.ns =
      spread_of(column(outcomes, [&](const Outcome& one) { return one.first_ns / events; }));
  result.ns_again =
      spread_of(column(outcomes, [&](const Outcome& one) { return one.again_ns / events; }));
  result.peak = spread_of(column(outcomes, [](const Outcome& one) { return one.peak; })).median;
  result.faults = spread_of(column(outcomes, [](const Outcome& one) { return one.faults; })).median;
  const auto live = static_cast<double>(result.summary.peak_live);
  result.peak_ratio = live > 0 ? result.peak / live : 0;
  return result;
}

void print_heading(const Facts& facts) {
  print_facts(facts);
  std::printf("\n%-18s %9s %3s %25s %8s %6s %5s\n", "", "", "", "ns an event", "ns again", "peak",
              "x");
  std::printf("%-18s %9s %3s %6s %6s %6s %6s %6s %6s %5s %7s\n", "", "events", "t", "min", "p10",
              "median", "p90", "median", "MiB", "live", "faults");
}

void print_result(const Result& result) {
  std::printf("%-18s %9zu %3u %6.1f %6.1f %6.1f %6.1f %6.1f %6.1f %5.2f %7.0f\n",
              result.name.c_str(), result.events, result.threads, result.ns.min, result.ns.p10,
              result.ns.median, result.ns.p90, result.ns_again.median, in_mib(result.peak),
              result.peak_ratio, result.faults);
  std::fflush(stdout);
}

void write_json(std::FILE* file, const Facts& facts, const std::vector<Result>& results) {
  write_results(file, facts, results, write_one);
}

}  // namespace bench::trace
