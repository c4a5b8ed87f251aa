// SPDX-License-Identifier: MIT
// What a workload's process tells the process that watches it: moments and measured values. One
// write(2) to a pipe each, no allocation; not for timed code.
#pragma once

#include <cstddef>
#include <string_view>

namespace bench {

enum class NoteKind { kMark, kValue };

struct Note {
  NoteKind kind;
  char name[20];
  double time_ns;
  double value;  // kValue only
};

class Notebook {
 public:
  static constexpr std::string_view kWaiting = "waiting";
  static constexpr std::string_view kLiveBytes = "live_bytes";

  explicit Notebook(int file) : file_(file) {}

  // Names this moment; memory is asked for by these names (Trace).
  void mark(std::string_view name) { write_note(NoteKind::kMark, name, 0); }

  // Several values of one name are samples of the same thing.
  void value(std::string_view name, double value) { write_note(NoteKind::kValue, name, value); }

  // What the process asked for and has not freed, now: drawn beside resident memory.
  void live(std::size_t bytes) { value(kLiveBytes, static_cast<double>(bytes)); }

  // From now on the process hardly runs: the next workload may begin beside it, unless times are
  // taken there.
  void waiting() { mark(kWaiting); }

 private:
  void write_note(NoteKind kind, std::string_view name, double value);

  const int file_;
};

}  // namespace bench
