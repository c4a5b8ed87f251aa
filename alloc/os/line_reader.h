// SPDX-License-Identifier: MIT
// The lines of a file of the kernel's that is longer than a buffer. No errno, no cancellation
// point.
#pragma once

#include <cstddef>
#include <string_view>

#include "alloc/os/read_file.h"

namespace spillway::os {

class LineReader {
 public:
  // Reads into `buffer`; longer lines are left out.
  LineReader(const char* path, char* buffer, size_t size);
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // False at the end, and when the file can't be read. `line` is good until the next call.
  bool next(std::string_view& line);

 private:
  bool fill();

  InputFile file_;
  char* buffer_;
  size_t size_;
  size_t start_ = 0;  // of what was read and not given yet
  size_t end_ = 0;
};

}  // namespace spillway::os
