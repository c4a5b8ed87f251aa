// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include "alloc/os/read_file.h"
#include "alloc/os/system_call.h"

namespace spillway::os {
namespace {

size_t length_or_none(long answer) { return answer > 0 ? static_cast<size_t>(answer) : 0; }

}  // namespace

InputFile::InputFile(const char* path)
    : descriptor_(
          system_call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) {
    system_call(SYS_close, descriptor_);
  }
}

size_t InputFile::read(char* buffer, size_t size) const {
  return descriptor_ < 0 ? 0 : length_or_none(system_call(SYS_read, descriptor_, buffer, size));
}

size_t InputFile::read_at(uint64_t offset, char* buffer, size_t size) const {
  return descriptor_ < 0
             ? 0
             : length_or_none(system_call(SYS_pread64, descriptor_, buffer, size, offset));
}

std::string_view read_file(const char* path, char* buffer, size_t size) {
  const InputFile file(path);
  return {buffer, file.read(buffer, size)};
}

}  // namespace spillway::os
