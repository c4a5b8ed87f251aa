// SPDX-License-Identifier: MIT
// What was seen of one workload's process: its resident memory over time and its notes. Not for
// the workload's own process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/memory/notebook.h"
#include "bench/memory/series.h"

namespace bench {

struct MemorySample {
  double time_ns;
  double resident;  // bytes; the whole process, nothing subtracted
};

struct Trace {
  double start_ns = 0;                // the process's
  std::vector<MemorySample> samples;  // none of a life of a few ms
  std::vector<Note> notes;
  // Part of its life that the process's first thread was ready to run without a core; 0 for a life
  // too short to say.
  double queued = 0;

  // Each ends the program when the workload did not leave the note.
  double time_of(std::string_view mark) const;
  double resident_at(std::string_view mark) const;  // the last sample before
  double peak(std::string_view from, std::string_view to) const;
  double mean(std::string_view from, std::string_view to) const;  // over the time between them
  // Of the live bytes that the workload noted.
  double mean_live(std::string_view from, std::string_view to) const;
  double value(std::string_view name) const;
  std::vector<double> values(std::string_view name) const;
  // Each value with the resident memory when it was noted.
  std::vector<Point> resident_over(std::string_view name) const;
  // x in ns, y in bytes.
  std::vector<Point> resident_over_time() const;
  std::vector<Point> live_over_time() const;  // empty: the workload noted none
};

}  // namespace bench
