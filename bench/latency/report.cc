// SPDX-License-Identifier: MIT
#include "bench/latency/report.h"

#include "bench/machine.h"

namespace bench {
namespace {

constexpr std::size_t kMaxBuckets = 400;

struct Percentile {
  const char* name;
  double share;
};
constexpr Percentile kPercentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}};

double in_ns(std::uint64_t ticks, const LatencyResult& result) {
  return static_cast<double>(ticks) * result.ns_per_tick;
}

void write_one(std::FILE* file, const LatencyResult& result) {
  std::fprintf(file,
               "{\"name\": %s, \"threads\": %d, \"count\": %llu, \"quiet\": %.3f, "
               "\"switches_per_second\": %.1f,\n   ",
               json_string(result.name).c_str(), result.threads,
               static_cast<unsigned long long>(result.histogram.count()), result.quiet,
               result.switches);
  for (const Percentile& one : kPercentiles) {
    std::fprintf(file, "\"%s\": %.1f, ", one.name,
                 in_ns(result.histogram.percentile(one.share), result));
  }
  std::fprintf(file, "\"max\": %.1f,\n   \"histogram\": [", in_ns(result.histogram.max(), result));
  const char* comma = "";
  for (const Histogram::Bucket& bucket : result.histogram.buckets(kMaxBuckets)) {
    std::fprintf(file, "%s[%.1f, %llu]", comma, in_ns(bucket.largest, result),
                 static_cast<unsigned long long>(bucket.count));
    comma = ", ";
  }
  std::fputs("]}", file);
}

}  // namespace

std::string short_time(double ns) {
  constexpr const char* kUnits[] = {"ns", "us", "ms", "s"};
  constexpr std::size_t kLast = std::size(kUnits) - 1;
  std::size_t unit = 0;
  // What would be rounded to 1000 is 1.00 of the next unit.
  for (; ns >= 999.5 && unit < kLast; ++unit) {
    ns /= 1000;
  }
  const int decimals = unit == 0 || ns >= 99.95 ? 0 : ns >= 9.995 ? 1 : 2;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f%s", decimals, ns, kUnits[unit]);
  return text;
}

void print_latency_heading(const Facts& facts) {
  print_facts(facts);
  std::printf("\n%-30s", "time of a call");
  for (const Percentile& one : kPercentiles) {
    std::printf(" %6s", one.name);
  }
  std::printf(" %6s %5s\n", "max", "quiet");
}

void print_latency(const LatencyResult& result) {
  std::printf("%-30s", result.name.c_str());
  for (const Percentile& one : kPercentiles) {
    std::printf(" %6s", short_time(in_ns(result.histogram.percentile(one.share), result)).c_str());
  }
  std::printf(" %6s", short_time(in_ns(result.histogram.max(), result)).c_str());
  // With more threads than cores queueing is part of the figure.
  if (result.threads > usable_cores()) {
    std::printf(" %5s\n", "-");
  } else {
    std::printf(" %4.0f%%\n", 100 * result.quiet);
  }
  std::fflush(stdout);
}

void write_latencies(std::FILE* file, const Facts& facts,
                     const std::vector<LatencyResult>& results) {
  write_results(file, facts, results, write_one);
}

}  // namespace bench
