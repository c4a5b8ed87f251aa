// SPDX-License-Identifier: MIT
#include "bench/memory/report.h"

#include <algorithm>

#include "bench/machine.h"

namespace bench {
namespace {

// The most disturbed process decides.
double queued(const Result& result) {
  double most = 0;
  for (const Trace& trace : result.traces) {
    most = std::max(most, trace.queued);
  }
  return most;
}

void write_rows(std::FILE* file, const std::vector<Row>& rows) {
  const char* separator = "";
  for (const Row& one : rows) {
    std::fprintf(file, "%s{\"name\": %s, \"unit\": %s, \"value\": %.6g, \"spread\": %s,", separator,
                 json_string(one.name).c_str(), json_string(one.unit).c_str(), one.spread.median,
                 json_spread(one.spread).c_str());
    const char* between = "\n     \"samples\": [";
    for (const double sample : one.samples) {
      std::fprintf(file, "%s%.6g", between, sample);
      between = ", ";
    }
    std::fputs("]}", file);
    separator = ",\n    ";
  }
}

using SeriesOf = std::vector<Point> (*)(const Trace& trace);

// One list of [ms, KiB] per process; times count from its start.
void write_series(std::FILE* file, const char* name, const std::vector<Trace>& traces,
                  SeriesOf series_of) {
  std::fprintf(file, ",\n   \"%s\": [", name);
  const char* between_lists = "\n    [";
  for (const Trace& trace : traces) {
    std::fputs(between_lists, file);
    const char* separator = "";
    for (const Point& point : series_of(trace)) {
      std::fprintf(file, "%s[%.1f, %.0f]", separator, (point.x - trace.start_ns) / 1e6,
                   point.y / 1024);
      separator = ", ";
    }
    between_lists = "],\n    [";
  }
  std::fputs("]]", file);
}

void write_one(std::FILE* file, const Result& result) {
  std::fprintf(file, "{\"name\": %s, \"queued\": %.4f,\n   \"rows\": [",
               json_string(result.name).c_str(), queued(result));
  write_rows(file, result.rows);
  std::fputs("]", file);
  write_series(file, "ms_and_rss_kib", result.traces,
               [](const Trace& trace) { return trace.resident_over_time(); });
  if (!result.traces.front().live_over_time().empty()) {
    write_series(file, "ms_and_live_kib", result.traces,
                 [](const Trace& trace) { return trace.live_over_time(); });
  }
  std::fputs("}", file);
}

}  // namespace

void print_heading(const Facts& facts) {
  print_facts(facts);
  std::printf("\n%-27s %9s %9s %9s %9s %7s\n", "", "min", "p10", "median", "p90", "queued");
}

void print_result(const Result& result) {
  for (const Row& one : result.rows) {
    const std::string label = one.name + (one.unit.empty() ? "" : " " + one.unit);
    std::printf("%-27s %9.4g %9.4g %9.4g %9.4g %6.1f%%\n", label.c_str(), one.spread.min,
                one.spread.p10, one.spread.median, one.spread.p90, 100 * queued(result));
  }
  std::fflush(stdout);
}

void write_json(std::FILE* file, const Facts& facts, const std::vector<Result>& results) {
  write_results(file, facts, results, write_one);
}

}  // namespace bench
