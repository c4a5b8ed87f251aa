// SPDX-License-Identifier: MIT
// Memory before its first use.
#pragma once

#include <cstddef>

#include "alloc/os/os.h"

namespace spillway::os {

// Writes a zero to each page of a range, so that all of it has memory.
inline void touch_pages(void* start, size_t bytes) {
  auto* const memory = static_cast<volatile char*>(start);
  for (size_t offset = 0; offset < bytes; offset += page_size()) {
    memory[offset] = 0;
  }
  memory[bytes - 1] = 0;  // a range that begins inside a page ends in one more
}

}  // namespace spillway::os
