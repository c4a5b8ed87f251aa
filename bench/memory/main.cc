// bench_memory: how much memory programs cost and what its use costs, under whichever allocator is
// preloaded. Every workload runs in a fresh process of this same program, which this one watches.

#include <getopt.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "bench/machine.h"
#include "bench/memory/report.h"
#include "bench/memory/watch.h"
#include "bench/memory/workload.h"

namespace {

constexpr const char* kUsage =
    "usage: bench_memory [--filter TEXT] [--repetitions N] [--quick | --smoke]\n"
    "                    [--json FILE] [--list]\n"
    "  --filter TEXT      only the workloads whose name contains TEXT\n"
    "  --repetitions N    timed repetitions; for fill, processes (default 10, quick 4)\n"
    "  --json FILE        the results and memory over time as JSON too; - writes only JSON,\n"
    "                     to stdout\n"
    "  --list             only print the names\n"
    "  --quick            fewer repetitions, requests to the server and large buffers\n"
    "  --smoke            as short as possible, to see that it runs\n";

// Processes of a fresh workload that come before those that count: memory that a virtual machine
// has not used for a while first has to come from its host, which can take several times as long as
// everything else, under any allocator.
constexpr int kWarmUp = 2;

// The option that makes this program be a workload's process.
constexpr const char* kInside = "inside";

struct Options {
  std::string filter;
  std::string json;
  std::string inside;
  std::string length;  // --quick, --smoke or empty
  bench::Effort effort = bench::kFull;
  bool list = false;
};

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "bench_memory: %s\n%s", message.c_str(), kUsage);
  std::exit(2);
}

int positive(const char* text) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < 1 || value > 1000) {
    fail(std::string("not a number from 1 to 1000: '") + text + "'");
  }
  return static_cast<int>(value);
}

Options parse(int argc, char** argv) {
  static const option kOptions[] = {{"filter", required_argument, nullptr, 'f'},
                                    {"repetitions", required_argument, nullptr, 'r'},
                                    {"json", required_argument, nullptr, 'j'},
                                    {"list", no_argument, nullptr, 'l'},
                                    {"quick", no_argument, nullptr, 'q'},
                                    {"smoke", no_argument, nullptr, 's'},
                                    {kInside, required_argument, nullptr, 'i'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  int repetitions = 0;
  int given = 0;
  while ((given = getopt_long(argc, argv, "h", kOptions, nullptr)) != -1) {
    switch (given) {
      case 'f':
        options.filter = optarg;
        break;
      case 'r':
        repetitions = positive(optarg);
        break;
      case 'j':
        options.json = optarg;
        break;
      case 'l':
        options.list = true;
        break;
      case 'q':
        options.length = "--quick";
        options.effort = bench::kQuick;
        break;
      case 's':
        options.length = "--smoke";
        options.effort = bench::kSmoke;
        break;
      case 'i':
        options.inside = optarg;
        break;
      case 'h':
        std::fputs(kUsage, stdout);
        std::exit(0);
      default:
        fail("see the usage");
    }
  }
  if (optind != argc) {
    fail(std::string("unexpected argument '") + argv[optind] + "'");
  }
  if (repetitions != 0) {
    options.effort.repetitions = repetitions;
  }
  return options;
}

std::vector<const bench::Workload*> chosen(const std::string& filter) {
  std::vector<const bench::Workload*> found;
  for (const bench::Workload* one : bench::kWorkloads) {
    if (std::string(one->name).find(filter) != std::string::npos) {
      found.push_back(one);
    }
  }
  return found;
}

int run_inside(const Options& options) {
  for (const bench::Workload* one : bench::kWorkloads) {
    if (options.inside == one->name) {
      bench::Notebook notes(bench::kNotesFile);
      one->run(options.effort, notes);
      return 0;
    }
  }
  fail("no workload '" + options.inside + "'");
}

bench::Result measure(const bench::Workload& workload, const Options& options) {
  std::vector<std::string> arguments = {std::string("--") + kInside, workload.name, "--repetitions",
                                        std::to_string(options.effort.repetitions)};
  if (!options.length.empty()) {
    arguments.push_back(options.length);
  }
  std::vector<bench::Trace> traces;
  const int warm_up = workload.fresh ? kWarmUp : 0;
  const int counted = workload.fresh ? options.effort.repetitions : 1;
  for (int i = 0; i < warm_up + counted; ++i) {
    bench::Trace trace = bench::watch(arguments);
    if (i >= warm_up) {
      traces.push_back(std::move(trace));
    }
  }
  std::vector<bench::Row> rows = workload.rows(traces);
  return {workload.name, std::move(rows), std::move(traces)};
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  if (!options.inside.empty()) {
    return run_inside(options);
  }
  const std::vector<const bench::Workload*> todo = chosen(options.filter);
  if (todo.empty()) {
    fail("no workload's name contains '" + options.filter + "'");
  }
  if (options.list) {
    for (const bench::Workload* one : todo) {
      std::puts(one->name);
    }
    return 0;
  }
  const bool text = options.json != "-";
  std::FILE* json = stdout;
  if (text && !options.json.empty() && (json = std::fopen(options.json.c_str(), "w")) == nullptr) {
    fail("cannot write " + options.json + ": " + std::strerror(errno));
  }
  const bench::Facts facts = bench::run_facts();
  if (text) {
    bench::print_heading(facts);
  }
  std::vector<bench::Result> results;
  for (const bench::Workload* one : todo) {
    results.push_back(measure(*one, options));
    if (text) {
      bench::print_result(results.back());
    }
  }
  if (!options.json.empty()) {
    bench::write_json(json, facts, results);
    if (std::fflush(json) != 0) {
      fail("cannot write " + options.json + ": " + std::strerror(errno));
    }
  }
  return 0;
}
