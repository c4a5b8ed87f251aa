// SPDX-License-Identifier: MIT
// Logarithm and exponential, good to nine digits: the C library's are in another library, which the
// allocator does not bring into processes.
#pragma once

#include <bit>
#include <cstdint>

namespace spillway::profile {

inline constexpr double kLogOf2 = 0.69314718055994531;

// Of a positive number that is not tiny (subnormal).
constexpr double natural_log(double value) {
  constexpr unsigned kMantissaBits = 52;
  constexpr uint64_t kMantissa = (uint64_t{1} << kMantissaBits) - 1;
  constexpr uint64_t kOne = uint64_t{1023} << kMantissaBits;
  const auto bits = std::bit_cast<uint64_t>(value);
  const auto exponent = static_cast<int64_t>(bits >> kMantissaBits) - 1023;
  const auto mantissa = std::bit_cast<double>((bits & kMantissa) | kOne);  // 1 .. 2
  // log(m) = 2 atanh((m - 1) / (m + 1)), of at most a third.
  const double z = (mantissa - 1) / (mantissa + 1);
  const double square = z * z;
  constexpr double kTerms[] = {1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                               1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
  double sum = 0;
  for (const double term : kTerms) {
    sum = sum * square + term;
  }
  return 2 * z * sum + static_cast<double>(exponent) * kLogOf2;
}

// 1 - exp(-value), of a number from 0 on; exact for small ones, too.
constexpr double one_minus_exp(double value) {
  constexpr double kAlmostOne = 40;  // exp(-40) is less than what a double tells from nothing
  if (value > kAlmostOne) {
    return 1;
  }
  // exp(-x) = exp(-x / 2^k)^(2^k); of 1 - exp: u -> u (2 - u).
  int halvings = 0;
  double x = value;
  while (x > 0.25) {
    x /= 2;
    ++halvings;
  }
  double sum = 0;
  for (int k = 10; k >= 1; --k) {  // x - x^2/2! + x^3/3! ...
    sum = x / k * (1 - sum);
  }
  for (; halvings > 0; --halvings) {
    sum = sum * (2 - sum);
  }
  return sum;
}

}  // namespace spillway::profile
