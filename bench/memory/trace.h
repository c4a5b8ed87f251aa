// What was seen of one workload's process: its resident memory over time and its notes. Not for
// the workload's own process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/memory/notebook.h"

namespace bench {

struct MemorySample {
  double time_ns;
  double resident;  // bytes; the whole process, nothing subtracted
};

struct Trace {
  std::vector<MemorySample> samples;
  std::vector<Note> notes;
  // Part of its life that the process's first thread was ready to run without a core; 0 for a life
  // too short to say.
  double queued = 0;

  // Each ends the program when the workload did not leave the note.
  double time_of(std::string_view mark) const;
  double resident_at(std::string_view mark) const;  // the last sample before
  double peak(std::string_view from, std::string_view to) const;
  double value(std::string_view name) const;
  std::vector<double> values(std::string_view name) const;
};

}  // namespace bench
