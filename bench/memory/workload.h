// What bench_memory measures: each workload is one file and one constant.
#pragma once

#include <string>
#include <vector>

#include "bench/memory/effort.h"
#include "bench/memory/notebook.h"
#include "bench/memory/trace.h"
#include "bench/spread.h"

namespace bench {

struct Row {
  std::string name;  // also the row's name for scripts/bench
  std::string unit;  // empty: a plain number
  Spread spread;     // the figure is its median
};

inline Row row(const char* name, const char* unit, double value) {
  return {name, unit, {value, value, value, value}};
}

inline Row row(const char* name, const char* unit, const std::vector<double>& values) {
  return {name, unit, spread_of(values)};
}

struct Workload {
  const char* name;
  bool fresh;  // a process for each repetition, instead of one for all
  // In a process of its own, which nothing else runs in.
  void (*run)(const Effort& effort, Notebook& notes);
  // In the process that watched; one trace per process.
  std::vector<Row> (*rows)(const std::vector<Trace>& traces);
};

extern const Workload kLive;
extern const Workload kThreads16;
extern const Workload kServer;
extern const Workload kReallocMiB;
extern const Workload kRealloc32MiB;
extern const Workload kWalk;
extern const Workload kFill;
extern const Workload kChurn;
extern const Workload kLarge;

// In the order in which they run.
inline constexpr const Workload* kWorkloads[] = {
    &kLive, &kThreads16, &kServer, &kReallocMiB, &kRealloc32MiB, &kWalk, &kFill, &kChurn, &kLarge};

}  // namespace bench
