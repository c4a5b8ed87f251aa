// SPDX-License-Identifier: MIT
#include "bench/threads/sequence.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace bench {

std::vector<Step> make_sequence(std::uint64_t seed, std::size_t live, SizeRange range) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::size_t> index(0, live - 1);
  std::uniform_real_distribution<double> logarithm(std::log(static_cast<double>(range.smallest)),
                                                   std::log(static_cast<double>(range.largest)));
  std::vector<Step> steps;
  steps.reserve(kSequenceLength);
  for (std::size_t i = 0; i < kSequenceLength; ++i) {
    const auto size = static_cast<std::size_t>(std::exp(logarithm(random)));
    steps.emplace_back(index(random), std::clamp(size, range.smallest, range.largest));
  }
  return steps;
}

}  // namespace bench
