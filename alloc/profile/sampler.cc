// SPDX-License-Identifier: MIT
#include "alloc/profile/sampler.h"

#include <algorithm>

#include "alloc/profile/exponential.h"

namespace spillway::profile {

void Sampler::start(uint64_t rate, uint64_t seed) {
  // relaxed, both: numbers that order nothing.
  rate_.store(rate, std::memory_order_relaxed);
  state_.store(seed, std::memory_order_relaxed);
}

// Between 0 and 1, and neither.
double Sampler::uniform() {
  // SplitMix64 (Steele, Lea, Flood 2014): a counter, mixed.
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
  // relaxed: only that two threads get two numbers counts.
  uint64_t mixed = state_.fetch_add(kStep, std::memory_order_relaxed) + kStep;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  constexpr double kUnit = 1.0 / (uint64_t{1} << 53);
  return (static_cast<double>(mixed >> 11) + 0.5) * kUnit;
}

// With mean 1.
double Sampler::exponential() { return -natural_log(uniform()); }

int64_t Sampler::bytes_until_sample() {
  return static_cast<int64_t>(exponential() * static_cast<double>(rate()));
}

uint32_t Sampler::blocks_until_sample(size_t size) {
  const double blocks =
      exponential() * static_cast<double>(rate()) / static_cast<double>(std::max<size_t>(size, 1));
  return blocks < static_cast<double>(UINT32_MAX) ? static_cast<uint32_t>(blocks) : UINT32_MAX;
}

bool Sampler::stays_sample(size_t before, size_t size) {
  const auto mean = static_cast<double>(std::max<uint64_t>(rate(), 1));
  return uniform() * one_minus_exp(static_cast<double>(before) / mean) <
         one_minus_exp(static_cast<double>(size) / mean);
}

Sampler::Weight Sampler::weight(size_t size, size_t drawn_size) const {
  constexpr double kHalf = 0.5;
  const auto drawn = static_cast<double>(std::max<size_t>(drawn_size, 1));
  const double blocks =
      1 / one_minus_exp(drawn / static_cast<double>(std::max<uint64_t>(rate(), 1)));
  return {.blocks = static_cast<uint64_t>(blocks * (uint64_t{1} << kBlockShift) + kHalf),
          .bytes = static_cast<uint64_t>(blocks * static_cast<double>(size) + kHalf)};
}

}  // namespace spillway::profile
