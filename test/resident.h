// SPDX-License-Identifier: MIT
// Which of the test's own memory is resident.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spillway::testing {

// Of the pages at so many addresses, the share that is resident. A page that is not mapped is not.
inline double resident_share(const std::vector<void*>& addresses) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  size_t resident = 0;
  for (void* address : addresses) {
    unsigned char state = 0;
    const uintptr_t start = reinterpret_cast<uintptr_t>(address) / page * page;
    if (mincore(reinterpret_cast<void*>(start), page, &state) == 0) {
      resident += state & 1U;
    }
  }
  return static_cast<double>(resident) / static_cast<double>(addresses.size());
}

}  // namespace spillway::testing
