// SPDX-License-Identifier: MIT
// The address space of the test's own process.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace spillway::testing {

inline uint64_t mapped_bytes() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace spillway::testing
