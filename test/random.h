// SPDX-License-Identifier: MIT
// Numbers that are the same in each run of a test.
#pragma once

#include <cstdint>

namespace spillway::testing {

class Random {
 public:
  explicit Random(uint32_t seed) : state_(seed) {}
  // 24 bits.
  uint32_t operator()() {
    state_ = state_ * 1664525 + 1013904223;
    return state_ >> 8;
  }

 private:
  uint32_t state_;
};

}  // namespace spillway::testing
