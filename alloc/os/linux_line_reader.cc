// SPDX-License-Identifier: MIT
#include "alloc/os/line_reader.h"

#include <cstring>

namespace spillway::os {

LineReader::LineReader(const char* path, char* buffer, size_t size)
    : file_(path), buffer_(buffer), size_(size) {}

// Moves what is left to the front and reads behind it. False when nothing came.
bool LineReader::fill() {
  std::memmove(buffer_, buffer_ + start_, end_ - start_);
  end_ -= start_;
  start_ = 0;
  const size_t length = file_.read(buffer_ + end_, size_ - end_);
  end_ += length;
  return length != 0;
}

bool LineReader::next(std::string_view& line) {
  bool is_cut = false;
  for (;;) {
    const auto* const newline =
        static_cast<const char*>(std::memchr(buffer_ + start_, '\n', end_ - start_));
    if (newline != nullptr) {
      const auto length = static_cast<size_t>(newline - (buffer_ + start_));
      line = {buffer_ + start_, length};
      start_ += length + 1;
      if (!is_cut) {
        return true;
      }
      is_cut = false;  // that was the end of one that is left out
      continue;
    }
    if (end_ - start_ == size_) {
      start_ = end_;
      is_cut = true;
    }
    if (!fill()) {
      return false;
    }
  }
}

}  // namespace spillway::os
