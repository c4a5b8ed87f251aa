// SPDX-License-Identifier: MIT
// Unpredictable numbers: a counter, encrypted with the process's secret.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/os/os.h"

namespace spillway::guard {

class Random {
 public:
  void start() {
    key_[0] = os::random_bits();
    key_[1] = os::random_bits();
  }

  // Any thread, signal handlers included. Some nanoseconds.
  uint64_t next() {
    // relaxed: only that two threads get two numbers counts.
    return mix(counter_.fetch_add(1, std::memory_order_relaxed));
  }

 private:
  // Three rounds of multiplication and folding with the key. Not a cryptographic generator.
  uint64_t mix(uint64_t value) const {
    uint64_t state = value ^ key_[0];
    for (const uint64_t factor : {0x9e3779b97f4a7c15U, 0xbf58476d1ce4e5b9U, 0x94d049bb133111ebU}) {
      const auto product = static_cast<unsigned __int128>(state ^ key_[1]) * factor;
      state = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
    }
    return state ^ key_[0];
  }

  uint64_t key_[2] = {};
  std::atomic<uint64_t> counter_{0};
};

}  // namespace spillway::guard
