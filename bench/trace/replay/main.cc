// SPDX-License-Identifier: MIT
// bench_replay: what the allocator calls of real programs cost, replayed from traces under
// whichever allocator is preloaded. Every repetition is a fresh process of this same program.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/command_line.h"
#include "bench/machine.h"
#include "bench/trace/file.h"
#include "bench/trace/replay/child.h"
#include "bench/trace/replay/parent.h"
#include "bench/trace/replay/report.h"

namespace {

namespace trace = bench::trace;

constexpr int kRepetitions = 10;

struct Todo {
  std::string path;
  trace::Recording recording;
};

int complain(const char* message, int status) {
  std::fprintf(stderr, "bench_replay: %s\n", message);
  return status;
}

bench::CommandLine parsed(int argc, char** argv) {
  bench::CommandLine line("bench_replay",
                          "what allocator calls cost that were recorded in real programs");
  line.add_number("repetitions", "fresh processes per trace (default 10)");
  line.add_text("touch", "written of each block: none, word (its first), pages (a word of each)",
                "WHAT");
  line.options().add_options()("trace", "", cxxopts::value<std::vector<std::string>>());
  line.options().parse_positional("trace");
  line.options().positional_help("TRACE...");
  line.parse(argc, argv);
  return line;
}

trace::Touch touch_of(const bench::CommandLine& line) {
  const std::string name = line.text("touch");
  if (name.empty()) {
    return trace::Touch::kPages;
  }
  const auto touch = trace::touch_named(name);
  if (!touch) {
    line.fail("--touch takes none, word or pages, not '" + name + "'");
  }
  return *touch;
}

trace::Result measure(const Todo& todo, int repetitions, trace::Touch touch) {
  const int file = trace::Plan::make(todo.recording);
  std::vector<trace::Outcome> outcomes;
  try {
    for (int i = 0; i < repetitions; ++i) {
      outcomes.push_back(trace::replay_once(file, touch));
    }
  } catch (const std::exception& error) {
    throw std::runtime_error(todo.path + ": " + error.what());
  }
  close(file);
  return trace::result_of(trace::row_name(todo.path), todo.recording, outcomes);
}

void run(const bench::CommandLine& line) {
  const trace::Touch touch = touch_of(line);
  const int repetitions = line.number("repetitions", 1, 1000, line.smoke() ? 1 : kRepetitions);
  std::vector<Todo> all;
  for (const std::string& path : line.texts("trace")) {
    all.push_back({path, trace::load(path)});
  }
  if (all.empty()) {
    line.fail("no trace (see --help)");
  }
  bench::JsonOutput json(line);
  const bench::Facts facts = bench::run_facts();
  if (json.text_wanted()) {
    trace::print_heading(facts);
  }
  std::vector<trace::Result> results;
  for (const Todo& todo : all) {
    results.push_back(measure(todo, repetitions, touch));
    if (json.text_wanted()) {
      trace::print_result(results.back());
    }
  }
  json.write([&](std::FILE* file) { trace::write_json(file, facts, results); });
}

int run_inside(const char* file, const char* touch_name) {
  const auto touch = trace::touch_named(touch_name);
  if (!touch) {
    return complain("an argument that is not for users", 2);
  }
  trace::run_child(static_cast<int>(std::strtol(file, nullptr, 10)), *touch);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    // Before anything else, so that the process has no memory but the replay's.
    if (argc == 4 && std::strcmp(argv[1], trace::kInside) == 0) {
      return run_inside(argv[2], argv[3]);
    }
    run(parsed(argc, argv));
    return 0;
  } catch (const trace::BadTrace& error) {
    return complain(error.what(), 2);
  } catch (const std::exception& error) {
    return complain(error.what(), 1);
  }
}
