// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include "alloc/os/read_file.h"
#include "alloc/os/system_call.h"

namespace spillway::os {

std::string_view read_file(const char* path, char* buffer, size_t size) {
  const long descriptor = system_call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return {};
  }
  const long length = system_call(SYS_read, descriptor, buffer, size);
  system_call(SYS_close, descriptor);
  return {buffer, length > 0 ? static_cast<size_t>(length) : 0};
}

}  // namespace spillway::os
