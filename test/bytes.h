// SPDX-License-Identifier: MIT
// What blocks hold.
#pragma once

#include <cstddef>
#include <cstring>

namespace spillway::testing {

// Whether the bytes of a block from `from` up to `to` are all `value`.
inline bool holds(const void* block, size_t from, size_t to, char value) {
  const auto* bytes = static_cast<const char*>(block) + from;
  // Each byte is compared with the one in front of it.
  return from >= to || (*bytes == value && std::memcmp(bytes, bytes + 1, to - from - 1) == 0);
}

}  // namespace spillway::testing
