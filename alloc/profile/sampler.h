// SPDX-License-Identifier: MIT
// Which bytes are sampled: those at which a Poisson process comes by, one in `rate` on average. A
// block is sampled when one of its bytes is, so with probability 1 - exp(-size / rate); counted
// 1 / probability times, what is sampled stands for all without bias. What is to come does not
// depend on what was, so that a distance may be drawn anew at any time.
//
// Any thread, signal handlers included. Some 20 ns a draw.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace spillway::profile {

class Sampler {
 public:
  // `rate`: bytes between two samples, on average; at least 1.
  void start(uint64_t rate, uint64_t seed);
  // relaxed: a number that stands for itself.
  uint64_t rate() const { return rate_.load(std::memory_order_relaxed); }

  // Bytes to allocate before the next sample.
  int64_t bytes_until_sample();
  // Blocks of this size to allocate before one that is a sample; UINT32_MAX: that many and more.
  uint32_t blocks_until_sample(size_t size);

  // Whether a sampled block of `before` bytes is one of `size`, which is less.
  bool stays_sample(size_t before, size_t size);

  // How many blocks, and bytes, a sampled one of `size` bytes stands for. `drawn_size` is what the
  // draw took its size to be. Blocks in units of 2^-16.
  struct Weight {
    uint64_t blocks;
    uint64_t bytes;
    // Modulo 2^64, for sums.
    Weight operator-(const Weight& other) const {
      return {.blocks = blocks - other.blocks, .bytes = bytes - other.bytes};
    }
  };
  static constexpr unsigned kBlockShift = 16;
  Weight weight(size_t size, size_t drawn_size) const;

 private:
  double uniform();
  double exponential();

  std::atomic<uint64_t> rate_{0};
  std::atomic<uint64_t> state_{0};
};

}  // namespace spillway::profile
