// SPDX-License-Identifier: MIT
// bench_startup: time and memory of /bin/true under allocators, against nothing preloaded. All
// contenders are started in turn, in an order that rotates, so that a slow moment hits them alike.
// This program is never preloaded itself when scripts/bench runs it; started with LD_PRELOAD, it
// takes that library as a contender.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/command_line.h"
#include "bench/json.h"
#include "bench/loaded_allocator.h"
#include "bench/machine.h"
#include "bench/spread.h"
#include "bench/startup/measure.h"

namespace {

using bench::Contender;

struct Row {
  Contender contender;
  std::string malloc_from;
  std::vector<double> wall, cpu, faults, resident, private_memory;
};

Contender contender_of(const std::string& text, const bench::CommandLine& line) {
  const std::size_t sign = text.find('=');
  if (sign == std::string::npos || sign == 0 || sign + 1 == text.size()) {
    line.fail("not NAME=FILE: '" + text + "'");
  }
  return {text.substr(0, sign), text.substr(sign + 1)};
}

std::vector<Contender> contenders(const bench::CommandLine& line) {
  std::vector<Contender> found{{"glibc", ""}};
  if (const char* preloaded = std::getenv("LD_PRELOAD"); preloaded != nullptr && *preloaded != 0) {
    found.push_back({bench::loaded_allocator().name, preloaded});
  }
  for (const std::string& text : line.texts("library")) {
    found.push_back(contender_of(text, line));
  }
  return found;
}

std::vector<Row> measure(const std::vector<Contender>& contenders, int runs) {
  constexpr int kMemoryShare = 10;  // one start in so many is also looked at for memory
  std::vector<Row> rows;
  for (const Contender& contender : contenders) {
    rows.push_back({contender, bench::file_in_use(contender), {}, {}, {}, {}, {}});
    bench::time_start(contender);
  }
  for (int run = 0; run < runs; ++run) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Row& row = rows[(i + static_cast<std::size_t>(run)) % rows.size()];
      const bench::Start start = bench::time_start(row.contender);
      row.wall.push_back(start.wall_us);
      row.cpu.push_back(start.cpu_us);
      row.faults.push_back(start.faults);
      bench::Memory memory{};
      if (run % kMemoryShare == 0 && bench::measure_memory(row.contender, memory)) {
        row.resident.push_back(memory.resident_kib);
        row.private_memory.push_back(memory.private_kib);
      }
    }
  }
  return rows;
}

double median(const std::vector<double>& values) {
  return values.empty() ? 0 : bench::spread_of(values).median;
}

void print(const bench::Facts& facts, const std::vector<Row>& rows) {
  bench::print_facts(facts);
  std::printf("\n%-16s %7s %7s %7s %7s %7s %7s %7s\n", "/bin/true", "p10 us", "median", "p90",
              "cpu us", "faults", "RSS KiB", "private");
  for (const Row& row : rows) {
    const bench::Spread wall = bench::spread_of(row.wall);
    std::printf("%-16s %7.0f %7.0f %7.0f %7.0f %7.0f %7.0f %7.0f\n", row.contender.name.c_str(),
                wall.p10, wall.median, wall.p90, median(row.cpu), median(row.faults),
                median(row.resident), median(row.private_memory));
  }
  if (rows.front().resident.empty()) {
    std::puts("Memory is unknown: tracing a child is not allowed here.");
  }
}

void write_row(std::FILE* file, const Row& row) {
  std::fprintf(file,
               "{\"name\": %s, \"malloc_from\": %s, \"wall_us\": %s, \"cpu_us\": %s, "
               "\"faults\": %.0f",
               bench::json_string(row.contender.name).c_str(),
               bench::json_string(row.malloc_from).c_str(),
               bench::json_spread(bench::spread_of(row.wall)).c_str(),
               bench::json_spread(bench::spread_of(row.cpu)).c_str(), median(row.faults));
  if (!row.resident.empty()) {
    std::fprintf(file, ", \"rss_kib\": %.0f, \"private_kib\": %.0f", median(row.resident),
                 median(row.private_memory));
  }
  std::fputs("}", file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], bench::kPrintAllocator) == 0) {
    std::puts(bench::loaded_allocator().file.c_str());
    return 0;
  }
  bench::CommandLine line("bench_startup", "time and memory of /bin/true under allocators");
  line.add_text("library", "an allocator to preload; may be given several times", "NAME=FILE");
  line.add_number("runs", "timed starts of each (default 200)");
  line.parse(argc, argv);
  const int runs = line.number("runs", 1, 1'000'000, line.smoke() ? 3 : 200);
  const std::vector<Contender> todo = contenders(line);
  bench::JsonOutput json(line);
  const bench::Facts facts = bench::run_facts();
  const std::vector<Row> rows = measure(todo, runs);
  if (json.text_wanted()) {
    print(facts, rows);
  }
  json.write([&](std::FILE* file) { bench::write_results(file, facts, rows, write_row); });
  return 0;
}
