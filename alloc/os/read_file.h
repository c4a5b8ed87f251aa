// SPDX-License-Identifier: MIT
// Files of the kernel's and the program's, for reading. No errno, no cancellation point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway::os {

// An open file, or one that could not be opened: nothing can be read of it. Opening waits for
// nothing.
class InputFile {
 public:
  explicit InputFile(const char* path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // The next bytes, up to `size`; how many there were.
  size_t read(char* buffer, size_t size) const;
  // The same from `offset` on, wherever read() is.
  size_t read_at(uint64_t offset, char* buffer, size_t size) const;

 private:
  long descriptor_;
};

// The first `size` bytes of a file, in `buffer`; empty when it cannot be read.
std::string_view read_file(const char* path, char* buffer, size_t size);

}  // namespace spillway::os
