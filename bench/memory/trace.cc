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
  const double end = time_of(mark);
  double resident = 0;
  for (const MemorySample& sample : samples) {
    resident = sample.time_ns <= end ? sample.resident : resident;
  }
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

}  // namespace bench
