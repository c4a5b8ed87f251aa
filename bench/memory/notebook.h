// What a workload's process tells the process that watches it: moments and measured values. One
// write(2) to a pipe each, no allocation; not for timed code.
#pragma once

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
  explicit Notebook(int file) : file_(file) {}

  // Names this moment; memory is asked for by these names (Trace).
  void mark(const char* name) { write_note(NoteKind::kMark, name, 0); }

  // Several values of one name are samples of the same thing.
  void value(const char* name, double value) { write_note(NoteKind::kValue, name, value); }

 private:
  void write_note(NoteKind kind, const char* name, double value);

  const int file_;
};

}  // namespace bench
