// bench_threads: what malloc and free cost when threads work at once or hand blocks over, under
// whichever allocator is preloaded.

#include <getopt.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/threads/cases.h"
#include "bench/threads/crew.h"
#include "bench/threads/summary.h"

namespace {

constexpr const char* kUsage =
    "usage: bench_threads [--filter TEXT] [--repetitions N] [--milliseconds N]\n"
    "                     [--json FILE] [--list] [--smoke]\n"
    "  --filter TEXT      only the cases whose name contains TEXT\n"
    "  --repetitions N    timed repetitions of each case (default 30)\n"
    "  --milliseconds N   length of one repetition (default 8)\n"
    "  --json FILE        the results as JSON too; - writes only JSON, to stdout\n"
    "  --list             only print the names\n"
    "  --smoke            as short as possible, to see that it runs\n";

struct Options {
  std::string filter;
  std::string json;
  bench::Effort effort{30, 8};
  bool list = false;
};

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "bench_threads: %s\n%s", message.c_str(), kUsage);
  std::exit(2);
}

int positive(const char* text) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < 1 || value > 1'000'000) {
    fail(std::string("not a number from 1 to 1000000: '") + text + "'");
  }
  return static_cast<int>(value);
}

Options parse(int argc, char** argv) {
  static const option kOptions[] = {{"filter", required_argument, nullptr, 'f'},
                                    {"repetitions", required_argument, nullptr, 'r'},
                                    {"milliseconds", required_argument, nullptr, 'm'},
                                    {"json", required_argument, nullptr, 'j'},
                                    {"list", no_argument, nullptr, 'l'},
                                    {"smoke", no_argument, nullptr, 's'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  int given = 0;
  while ((given = getopt_long(argc, argv, "h", kOptions, nullptr)) != -1) {
    switch (given) {
      case 'f':
        options.filter = optarg;
        break;
      case 'r':
        options.effort.repetitions = positive(optarg);
        break;
      case 'm':
        options.effort.milliseconds = positive(optarg);
        break;
      case 'j':
        options.json = optarg;
        break;
      case 'l':
        options.list = true;
        break;
      case 's':
        options.effort = {2, 1};
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
  return options;
}

std::vector<bench::Case> chosen(const std::string& filter) {
  std::vector<bench::Case> found;
  for (const bench::Case& one : bench::cases()) {
    if (one.name.find(filter) != std::string::npos) {
      found.push_back(one);
    }
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const std::vector<bench::Case> todo = chosen(options.filter);
  if (todo.empty()) {
    fail("no case's name contains '" + options.filter + "'");
  }
  if (options.list) {
    for (const bench::Case& one : todo) {
      std::puts(one.name.c_str());
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
  for (const bench::Case& one : todo) {
    const auto work = one.make();
    results.push_back(
        bench::summarize(one.name, one.threads, bench::run_crew(*work, options.effort)));
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
