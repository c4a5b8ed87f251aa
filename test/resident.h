// SPDX-License-Identifier: MIT
// Which of the test's own memory is resident.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spillway::testing {

// Pages with memory among those that `bytes` from `start` on lie in; one that is not mapped has
// none.
inline size_t resident_pages(const void* start, size_t bytes) {
  const auto page = static_cast<uintptr_t>(getpagesize());
  const uintptr_t first = reinterpret_cast<uintptr_t>(start) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(start) + bytes;
  size_t count = 0;
  for (uintptr_t at = first; at < end; at += page) {
    unsigned char state = 0;
    if (mincore(reinterpret_cast<void*>(at), page, &state) == 0) {
      count += state & 1U;
    }
  }
  return count;
}

// Of the pages at so many addresses, the share that is resident.
inline double resident_share(const std::vector<void*>& addresses) {
  size_t resident = 0;
  for (const void* address : addresses) {
    resident += resident_pages(address, 1);
  }
  return static_cast<double>(resident) / static_cast<double>(addresses.size());
}

}  // namespace spillway::testing
