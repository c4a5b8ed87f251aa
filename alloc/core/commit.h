// SPDX-License-Identifier: MIT
// os::commit() of all pages that a piece of reserved memory is on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/os/os.h"

namespace spillway::core {

[[nodiscard]] inline bool commit_pages(const void* start, size_t bytes) {
  const size_t page = os::page_size();
  const auto from = reinterpret_cast<uintptr_t>(start);
  const size_t low = align_down(from, page);
  return os::commit(reinterpret_cast<void*>(low), align_up(from + bytes, page) - low);
}

}  // namespace spillway::core
