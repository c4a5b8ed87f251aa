// Sizes as the rows' names have them. pair/ and pair_word/ call 1 MiB 1024KiB, the other rows 1MiB.
#pragma once

#include <cstddef>
#include <string>

namespace bench {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

// "16B", "40KiB", "1024KiB". Below 1 KiB bytes, else whole KiB.
inline std::string in_kib(std::size_t size) {
  return size < kKiB ? std::to_string(size) + "B" : std::to_string(size / kKiB) + "KiB";
}

// "4095B", "64KiB", "2MiB". In the largest unit that leaves nothing over.
inline std::string size_name(std::size_t size) {
  if (size % kMiB == 0) {
    return std::to_string(size / kMiB) + "MiB";
  }
  return size % kKiB == 0 ? std::to_string(size / kKiB) + "KiB" : std::to_string(size) + "B";
}

}  // namespace bench
