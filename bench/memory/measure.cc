// SPDX-License-Identifier: MIT
#include "bench/memory/measure.h"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "bench/memory/watch.h"

namespace bench {
namespace {

std::vector<std::string> arguments_of(const Workload& workload, const Length& length) {
  return {kInside, workload.name, length.word, std::to_string(length.effort.repetitions)};
}

Result result_of(const Workload& workload, std::vector<Trace> traces) {
  std::vector<Row> rows = workload.rows(traces);
  return {workload.name, std::move(rows), std::move(traces)};
}

Result measure_fresh(const Workload& workload, const Length& length) {
  const std::vector<std::string> arguments = arguments_of(workload, length);
  std::vector<Trace> traces;
  const int warm_up = length.effort.warm_up_processes;
  for (int i = 0; i < warm_up + length.effort.processes; ++i) {
    Trace trace = watch(arguments, [] {});
    if (i >= warm_up) {
      traces.push_back(std::move(trace));
    }
  }
  return result_of(workload, std::move(traces));
}

// A workload under way.
struct Running {
  const Workload* workload;
  std::future<Trace> trace;
};

// Returns when the workload only waits or has ended.
Running start(const Workload& workload, const Length& length) {
  std::promise<void> waiting;
  const std::future<void> waits = waiting.get_future();
  auto watching = [arguments = arguments_of(workload, length),
                   waiting = std::move(waiting)]() mutable {
    return watch(arguments, [&waiting] { waiting.set_value(); });
  };
  Running running{&workload, std::async(std::launch::async, std::move(watching))};
  waits.wait();
  return running;
}

}  // namespace

void measure_all(std::span<const Workload* const> workloads, const Length& length,
                 const std::function<void(const Result& result)>& done) {
  std::vector<Running> under_way;
  const auto finish = [&] {
    for (Running& one : under_way) {
      std::vector<Trace> traces;
      traces.push_back(one.trace.get());
      done(result_of(*one.workload, std::move(traces)));
    }
    under_way.clear();
  };
  for (const Workload* workload : workloads) {
    if (workload->timed) {
      finish();
    }
    if (workload->fresh) {
      done(measure_fresh(*workload, length));
    } else {
      under_way.push_back(start(*workload, length));
    }
  }
  finish();
}

int run_inside(std::span<char* const> arguments) {
  if (arguments.size() == 3) {
    const std::string name = arguments[0];
    const std::string word = arguments[1];
    for (const Workload* workload : kWorkloads) {
      for (const Length* length : kLengths) {
        if (name == workload->name && word == length->word) {
          Effort effort = length->effort;
          effort.repetitions = std::atoi(arguments[2]);
          Notebook notes(kNotesFile);
          workload->run(effort, notes);
          return 0;
        }
      }
    }
  }
  std::fprintf(stderr, "bench_memory: %s is for this program's own use\n", kInside);
  return 2;
}

}  // namespace bench
