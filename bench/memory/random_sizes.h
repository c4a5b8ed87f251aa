// SPDX-License-Identifier: MIT
// The same random numbers for every allocator, without an allocation. About 20 ns for a size.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace bench {

class RandomSizes {
 public:
  explicit RandomSizes(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15) {}

  std::size_t below(std::size_t limit) { return next() % limit; }

  // From `smallest` on, less than `largest`.
  std::size_t uniform(std::size_t smallest, std::size_t largest) {
    return smallest + below(largest - smallest);
  }

  // As many between 4 and 8 KiB as between 512 KiB and 1 MiB.
  std::size_t log_uniform(std::size_t smallest, std::size_t largest) {
    const double low = std::log(static_cast<double>(smallest));
    const double high = std::log(static_cast<double>(largest));
    return static_cast<std::size_t>(std::exp(low + (high - low) * unit()));
  }

 private:
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  std::uint64_t next() {  // splitmix64
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  std::uint64_t state_;
};

}  // namespace bench
