// SPDX-License-Identifier: MIT
// Integer arithmetic on sizes and bit words.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "alloc/base/check.h"

namespace spillway {

inline constexpr size_t kKiB = 1024;
inline constexpr size_t kMiB = 1024 * kKiB;
inline constexpr size_t kGiB = 1024 * kMiB;

// `alignment` must be a power of two; the result wraps around for values near the type's maximum.
constexpr size_t align_up(size_t value, size_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}
constexpr size_t align_down(size_t value, size_t alignment) { return value & ~(alignment - 1); }

constexpr size_t divide_up(size_t value, size_t divisor) { return (value + divisor - 1) / divisor; }

// Not has_single_bit(): without a processor's popcount that is a call into the compiler's library.
constexpr bool is_power_of_two(size_t value) { return value != 0 && (value & (value - 1)) == 0; }

// A word with the lowest `count` bits set; count in 0..64.
constexpr uint64_t low_bits(unsigned count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

// Not std::popcount(), for the same reason.
constexpr uint32_t count_bits(uint64_t word) {
  word -= (word >> 1) & 0x5555555555555555;
  word = (word & 0x3333333333333333) + ((word >> 2) & 0x3333333333333333);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return static_cast<uint32_t>((word * 0x0101010101010101) >> 56);
}

// The lowest `count` set bits of `word` (all of them when it has fewer). Quick when they are
// neighbours.
constexpr uint64_t lowest_set_bits(uint64_t word, unsigned count) {
  if (word == 0) {
    return 0;
  }
  const auto first = static_cast<unsigned>(std::countr_zero(word));
  if (count <= static_cast<unsigned>(std::countr_one(word >> first))) {
    return low_bits(count) << first;
  }
  uint64_t rest = word;
  for (; count > 0 && rest != 0; --count) {
    rest &= rest - 1;
  }
  return word ^ rest;
}

// The highest `count` set bits of `word` (all of them when it has fewer).
constexpr uint64_t highest_set_bits(uint64_t word, unsigned count) {
  const auto bits = static_cast<unsigned>(std::popcount(word));
  return word ^ lowest_set_bits(word, bits - std::min(bits, count));
}

// Calls `action(first, length)` for each run of neighbouring set bits, lowest first.
template <typename Action>
constexpr void for_each_run(uint64_t word, Action action) {
  while (word != 0) {
    const auto first = static_cast<unsigned>(std::countr_zero(word));
    const auto length = static_cast<unsigned>(std::countr_one(word >> first));
    action(first, length);
    word &= ~(low_bits(length) << first);
  }
}

// Exact division of numbers below 2^31 by a constant below 2^16: one multiplication, one shift.
// Rounding the reciprocal up adds less than `numerator * divisor / 2^shift < 1 / divisor` to the
// quotient, so that its integer part is right (Granlund and Montgomery, PLDI 1994).
class Divider {
 public:
  constexpr Divider() = default;
  constexpr explicit Divider(uint32_t divisor)
      : shift_(32U + static_cast<uint32_t>(std::bit_width(divisor - 1))),
        reciprocal_(((uint64_t{1} << shift_) + divisor - 1) / divisor) {
    SPILLWAY_DCHECK(divisor > 0 && divisor < (1U << 16));
  }
  constexpr uint32_t divide(uint32_t numerator) const {
    SPILLWAY_DCHECK(numerator < (1U << 31));
    return static_cast<uint32_t>((numerator * reciprocal_) >> shift_);
  }

 private:
  uint32_t shift_ = 0;
  uint64_t reciprocal_ = 0;
};

}  // namespace spillway
