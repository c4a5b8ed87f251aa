// bench_startup: time and memory of /bin/true under allocators, against nothing preloaded. All
// contenders are started in turn, in an order that rotates, so that a slow moment hits them alike.
// This program is never preloaded itself when scripts/bench runs it; started with LD_PRELOAD, it
// takes that library as a contender.

#include <getopt.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/json.h"
#include "bench/loaded_allocator.h"
#include "bench/machine.h"
#include "bench/spread.h"
#include "bench/startup/measure.h"

namespace {

using bench::Contender;

constexpr const char* kUsage =
    "usage: bench_startup [--library NAME=FILE]... [--runs N] [--json FILE] [--smoke]\n"
    "  --library NAME=FILE  an allocator to preload; may be given several times\n"
    "  --runs N             timed starts of each (default 200)\n"
    "  --json FILE          the results as JSON too; - writes only JSON, to stdout\n"
    "  --smoke              three starts of each, to see that it runs\n";

struct Options {
  std::vector<Contender> contenders{{"glibc", ""}};
  std::string json;
  int runs = 200;
};

struct Row {
  Contender contender;
  std::string malloc_from;
  std::vector<double> wall, cpu, faults, resident, private_memory;
};

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "bench_startup: %s\n%s", message.c_str(), kUsage);
  std::exit(2);
}

Contender contender_of(const std::string& text) {
  const std::size_t sign = text.find('=');
  if (sign == std::string::npos || sign == 0 || sign + 1 == text.size()) {
    fail("not NAME=FILE: '" + text + "'");
  }
  return {text.substr(0, sign), text.substr(sign + 1)};
}

Options parse(int argc, char** argv) {
  static const option kOptions[] = {
      {"library", required_argument, nullptr, 'l'}, {"runs", required_argument, nullptr, 'r'},
      {"json", required_argument, nullptr, 'j'},    {"smoke", no_argument, nullptr, 's'},
      {"help", no_argument, nullptr, 'h'},          {nullptr, 0, nullptr, 0}};
  Options options;
  if (const char* preloaded = std::getenv("LD_PRELOAD"); preloaded != nullptr && *preloaded != 0) {
    options.contenders.push_back({bench::loaded_allocator().name, preloaded});
  }
  int given = 0;
  while ((given = getopt_long(argc, argv, "h", kOptions, nullptr)) != -1) {
    switch (given) {
      case 'l':
        options.contenders.push_back(contender_of(optarg));
        break;
      case 'r':
        options.runs = std::atoi(optarg);
        break;
      case 'j':
        options.json = optarg;
        break;
      case 's':
        options.runs = 3;
        break;
      case 'h':
        std::fputs(kUsage, stdout);
        std::exit(0);
      default:
        fail("see the usage");
    }
  }
  if (optind != argc || options.runs < 1) {
    fail(optind != argc ? std::string("unexpected argument '") + argv[optind] + "'"
                        : "--runs takes a number from 1 on");
  }
  return options;
}

std::vector<Row> measure(const Options& options) {
  constexpr int kMemoryShare = 10;  // one start in so many is also looked at for memory
  std::vector<Row> rows;
  for (const Contender& contender : options.contenders) {
    rows.push_back({contender, bench::file_in_use(contender), {}, {}, {}, {}, {}});
    bench::time_start(contender);
  }
  for (int run = 0; run < options.runs; ++run) {
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

void write_json(std::FILE* file, const bench::Facts& facts, const std::vector<Row>& rows) {
  std::fprintf(file, "{\"context\": %s,\n \"results\": [", bench::json_object(facts).c_str());
  const char* separator = "\n";
  for (const Row& row : rows) {
    std::fprintf(file,
                 "%s  {\"name\": %s, \"malloc_from\": %s, \"wall_us\": %s, \"cpu_us\": %s, "
                 "\"faults\": %.0f",
                 separator, bench::json_string(row.contender.name).c_str(),
                 bench::json_string(row.malloc_from).c_str(),
                 bench::json_spread(bench::spread_of(row.wall)).c_str(),
                 bench::json_spread(bench::spread_of(row.cpu)).c_str(), median(row.faults));
    if (!row.resident.empty()) {
      std::fprintf(file, ", \"rss_kib\": %.0f, \"private_kib\": %.0f", median(row.resident),
                   median(row.private_memory));
    }
    std::fputs("}", file);
    separator = ",\n";
  }
  std::fputs("\n ]}\n", file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], bench::kPrintAllocator) == 0) {
    std::puts(bench::loaded_allocator().file.c_str());
    return 0;
  }
  const Options options = parse(argc, argv);
  const bool text = options.json != "-";
  std::FILE* json = stdout;
  if (text && !options.json.empty() && (json = std::fopen(options.json.c_str(), "w")) == nullptr) {
    fail("cannot write " + options.json + ": " + std::strerror(errno));
  }
  const bench::Facts facts = bench::run_facts();
  const std::vector<Row> rows = measure(options);
  if (text) {
    print(facts, rows);
  }
  if (!options.json.empty()) {
    write_json(json, facts, rows);
    if (std::fflush(json) != 0) {
      fail("cannot write " + options.json + ": " + std::strerror(errno));
    }
  }
  return 0;
}
