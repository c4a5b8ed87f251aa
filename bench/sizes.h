// SPDX-License-Identifier: MIT
// Units of sizes, and sizes as the rows' names have them.
#pragma once

#include <cstddef>
#include <string>

namespace bench {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

// "4095B", "64KiB", "2MiB". In the largest unit that leaves nothing over.
inline std::string size_name(std::size_t size) {
  if (size % kMiB == 0) {
    return std::to_string(size / kMiB) + "MiB";
  }
  return size % kKiB == 0 ? std::to_string(size / kKiB) + "KiB" : std::to_string(size) + "B";
}

}  // namespace bench
