// SPDX-License-Identifier: MIT
#include "bench/memory/trace.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace bench {
namespace {

[[noreturn]] void fail(std::string_view name, const char* what) {
  std::fprintf(stderr, "bench_memory: %s '%.*s'\n", what, static_cast<int>(name.size()),
               name.data());
  std::exit(1);
}

// The last sample's until `time_ns`; 0 without one.
double resident_before(const std::vector<MemorySample>& samples, double time_ns) {
  double resident = 0;
  for (const MemorySample& sample : samples) {
    resident = sample.time_ns <= time_ns ? sample.resident : resident;
  }
  return resident;
}

}  // namespace

double Trace::time_of(std::string_view mark) const {
  for (const Note& note : notes) {
    if (note.kind == NoteKind::kMark && note.name == mark) {
      return note.time_ns;
    }
  }
  fail(mark, "no moment");
}

double Trace::resident_at(std::string_view mark) const {
  const double resident = resident_before(samples, time_of(mark));
  if (resident == 0) {
    fail(mark, "no sample of memory before");
  }
  return resident;
}

double Trace::peak(std::string_view from, std::string_view to) const {
  const double start = time_of(from);
  const double end = time_of(to);
  double most = resident_at(to);
  for (const MemorySample& sample : samples) {
    if (start <= sample.time_ns && sample.time_ns <= end) {
      most = std::max(most, sample.resident);
    }
  }
  return most;
}

double Trace::mean(std::string_view from, std::string_view to) const {
  const std::vector<Point> points = resident_over_time();
  if (points.empty()) {
    fail(from, "no sample of memory from");
  }
  return mean_between(points, time_of(from), time_of(to));
}

double Trace::mean_live(std::string_view from, std::string_view to) const {
  const std::vector<Point> points = live_over_time();
  if (points.empty()) {
    fail(Notebook::kLiveBytes, "no value");
  }
  return mean_between(points, time_of(from), time_of(to));
}

double Trace::value(std::string_view name) const { return values(name).front(); }

std::vector<double> Trace::values(std::string_view name) const {
  std::vector<double> found;
  for (const Note& note : notes) {
    if (note.kind == NoteKind::kValue && note.name == name) {
      found.push_back(note.value);
    }
  }
  if (found.empty()) {
    fail(name, "no value");
  }
  return found;
}

std::vector<Point> Trace::resident_over(std::string_view name) const {
  std::vector<Point> found;
  for (const Note& note : notes) {
    if (note.kind == NoteKind::kValue && note.name == name) {
      found.push_back({note.value, resident_before(samples, note.time_ns)});
    }
  }
  if (found.empty()) {
    fail(name, "no value");
  }
  return found;
}

std::vector<Point> Trace::resident_over_time() const {
  std::vector<Point> found;
  for (const MemorySample& sample : samples) {
    found.push_back({sample.time_ns, sample.resident});
  }
  return found;
}

std::vector<Point> Trace::live_over_time() const {
  std::vector<Point> found;
  for (const Note& note : notes) {
    if (note.kind == NoteKind::kValue && note.name == Notebook::kLiveBytes) {
      found.push_back({note.time_ns, note.value});
    }
  }
  return found;
}

}  // namespace bench
