// SPDX-License-Identifier: MIT
// This process's resident memory at this moment, where a sample from outside would come too late;
// nothing here allocates.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace bench {

// In bytes. The kernel counts pages in batches per processor: some dozen pages may be missing.
inline double resident_bytes() {
  char text[128] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  (void)!read(file, text, sizeof text - 1);
  close(file);
  char* end = text;
  (void)std::strtod(text, &end);  // the address space
  return std::strtod(end, nullptr) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace bench
