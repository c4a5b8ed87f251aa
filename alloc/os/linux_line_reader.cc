// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include <cstring>

#include "alloc/os/line_reader.h"
#include "alloc/os/system_call.h"

namespace spillway::os {
namespace {

long open_for_reading(const char* path) {
  return system_call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

}  // namespace

LineReader::LineReader(const char* path, char* buffer, size_t size)
    : buffer_(buffer), size_(size), descriptor_(open_for_reading(path)) {}

LineReader::~LineReader() {
  if (descriptor_ >= 0) {
    system_call(SYS_close, descriptor_);
  }
}

// Moves what is left to the front and reads behind it. False when nothing came.
bool LineReader::fill() {
  if (descriptor_ < 0) {
    return false;
  }
  std::memmove(buffer_, buffer_ + start_, end_ - start_);
  end_ -= start_;
  start_ = 0;
  const long length = system_call(SYS_read, descriptor_, buffer_ + end_, size_ - end_);
  if (length <= 0) {
    return false;
  }
  end_ += static_cast<size_t>(length);
  return true;
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

size_t read_file_at(const char* path, uint64_t offset, char* buffer, size_t size) {
  const long descriptor = open_for_reading(path);
  if (descriptor < 0) {
    return 0;
  }
  const long length = system_call(SYS_pread64, descriptor, buffer, size, offset);
  system_call(SYS_close, descriptor);
  return length > 0 ? static_cast<size_t>(length) : 0;
}

}  // namespace spillway::os
