// SPDX-License-Identifier: MIT
// bench_latency: how long single calls of malloc and free take when threads replace blocks, as
// percentiles, under whichever allocator is preloaded.

#include <algorithm>
#include <cstdio>
#include <span>
#include <vector>

#include "bench/command_line.h"
#include "bench/latency/cases.h"
#include "bench/latency/report.h"
#include "bench/machine.h"
#include "bench/threads/summary.h"

namespace {

// A repetition is what `quiet` judges as a whole.
constexpr int kRepetitionMs = 20;

// The results of the rows, which are those of one run, in their order.
std::vector<bench::LatencyResult> measure(std::span<const bench::LatencyRow> rows, int milliseconds,
                                          const bench::TimerRate& timer) {
  const bench::LatencyRow& any = rows.front();
  const auto work = bench::make_timed_replacement(any.threads, any.range, timer.tsc);
  const int length = std::min(milliseconds, kRepetitionMs);
  const std::vector<bench::Sample> samples =
      bench::run_crew(*work, {milliseconds / length, length});
  const auto quiet = std::count_if(samples.begin(), samples.end(), [](const auto& sample) {
    return sample.queued <= bench::kDisturbed;
  });
  const bench::Latencies latencies = work->latencies();
  const double seconds = 1e-3 * length * static_cast<double>(samples.size());
  std::vector<bench::LatencyResult> results;
  for (const bench::LatencyRow& row : rows) {
    results.push_back({row.name(), row.threads,
                       latencies.by_kind[static_cast<std::size_t>(row.kind)], timer.ns_per_tick,
                       static_cast<double>(quiet) / static_cast<double>(samples.size()),
                       static_cast<double>(latencies.switches) / row.threads / seconds});
  }
  return results;
}

}  // namespace

int main(int argc, char** argv) {
  bench::CommandLine line("bench_latency", "how long single calls of malloc and free take");
  line.add_case_choice();
  line.add_number("milliseconds", "length of each run, which makes four rows (default 400)");
  line.parse(argc, argv);
  const int milliseconds = line.number("milliseconds", 1, 1'000'000, line.smoke() ? 2 : 400);
  const std::vector<bench::LatencyRow> all = bench::latency_rows();
  const std::vector<bench::LatencyRow> todo =
      line.chosen(std::span(all), [](const auto& row) { return row.name(); });
  bench::JsonOutput json(line);
  const bench::TimerRate timer = bench::calibrate_timer();
  bench::Facts facts = bench::run_facts();
  facts.emplace_back("timer", timer.description);
  if (json.text_wanted()) {
    bench::print_latency_heading(facts);
  }
  std::vector<bench::LatencyResult> results;
  for (auto row = todo.begin(); row != todo.end();) {
    const auto end = std::find_if_not(row, todo.end(),
                                      [&row](const auto& other) { return other.runs_with(*row); });
    for (bench::LatencyResult& result : measure({row, end}, milliseconds, timer)) {
      if (json.text_wanted()) {
        bench::print_latency(result);
      }
      results.push_back(std::move(result));
    }
    row = end;
  }
  json.write([&](std::FILE* file) { bench::write_latencies(file, facts, results); });
  return 0;
}
