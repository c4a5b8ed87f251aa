// SPDX-License-Identifier: MIT
#include "bench/memory/notebook.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "bench/clock.h"

namespace bench {

void Notebook::write_note(NoteKind kind, std::string_view name, double value) {
  Note note{kind, {}, now_ns(), value};
  name.copy(note.name, sizeof note.name - 1);
  if (write(file_, &note, sizeof note) != static_cast<ssize_t>(sizeof note)) {
    std::fputs("bench_memory: the results can't be written\n", stderr);
    std::_Exit(1);
  }
}

}  // namespace bench
