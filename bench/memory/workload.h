// SPDX-License-Identifier: MIT
// What bench_memory measures: each workload is one file and one constant.
#pragma once

#include <cstddef>
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
  std::vector<double> samples;
  Spread spread;  // the figure is its median
};

inline Row row(const char* name, const char* unit, const std::vector<double>& samples) {
  return {name, unit, samples, spread_of(samples)};
}

inline Row row(const char* name, const char* unit, double value) {
  return row(name, unit, std::vector{value});
}

struct Workload {
  const char* name;
  bool fresh = false;  // a process for each sample, instead of one for all
  bool timed = false;  // has rows that are times: nothing may run beside it
  bool quick = true;   // means something when it is short: part of --quick
  // In a process of its own, which nothing else runs in.
  void (*run)(const Effort& effort, Notebook& notes);
  // In the process that watched; one trace per process.
  std::vector<Row> (*rows)(const std::vector<Trace>& traces);
};

inline constexpr std::size_t kOneSizes = 10;

extern const Workload kReallocMiB;
extern const Workload kRealloc32MiB;
extern const Workload kSwing1;
extern const Workload kSwing2;
extern const Workload kWalk;
extern const Workload kChurn;
extern const Workload kSawtooth;
extern const Workload kDrift;
extern const Workload kSparse256KiB;
extern const Workload kSparseMiB;
extern const Workload kSparseAligned;
extern const Workload kFill;
extern const Workload kBurst;
extern const Workload kLarge;
extern const Workload kLargeTouched;
extern const Workload kServer;
extern const Workload kLive;
extern const Workload kThreads16;
extern const Workload kPin;
extern const Workload kSlope;
extern const Workload kLeak;
extern const Workload kShift;
extern const Workload kOneSize[kOneSizes];

// In the order in which they run: those with times first, since one of the others may begin while
// the one before it waits.
inline constexpr const Workload* kWorkloads[] = {
    &kReallocMiB, &kRealloc32MiB, &kSwing1,       &kSwing2,     &kWalk,          &kChurn,
    &kSawtooth,   &kDrift,        &kSparse256KiB, &kSparseMiB,  &kSparseAligned, &kFill,
    &kBurst,      &kLarge,        &kLargeTouched, &kServer,     &kLive,          &kThreads16,
    &kPin,        &kSlope,        &kLeak,         &kShift,      &kOneSize[0],    &kOneSize[1],
    &kOneSize[2], &kOneSize[3],   &kOneSize[4],   &kOneSize[5], &kOneSize[6],    &kOneSize[7],
    &kOneSize[8], &kOneSize[9]};

}  // namespace bench
