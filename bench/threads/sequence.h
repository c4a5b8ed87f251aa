// SPDX-License-Identifier: MIT
// Random replacement steps, drawn before the clock starts. Reading one costs four bytes of a stream
// that the processor prefetches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

// Which live block to replace, and the size in bytes of the new one.
class Step {
 public:
  Step(std::size_t index, std::size_t size)
      : bits_(static_cast<std::uint32_t>(index << kSizeBits | size)) {}
  std::size_t index() const { return bits_ >> kSizeBits; }
  std::size_t size() const { return bits_ & ((1U << kSizeBits) - 1); }

 private:
  static constexpr unsigned kSizeBits = 21;  // a size may be 1 MiB itself
  std::uint32_t bits_;
};

struct SizeRange {
  std::size_t smallest;  // bytes, inclusive
  std::size_t largest;
};

// Enough that no branch predictor learns them (256 KiB of steps), a power of two.
constexpr std::size_t kSequenceLength = std::size_t{1} << 16;

// `live` is at most 2048. Indices are uniform, sizes log-uniform: as many between 4 and 8 KiB as
// between 512 KiB and 1 MiB. The same seed always gives the same steps.
std::vector<Step> make_sequence(std::uint64_t seed, std::size_t live, SizeRange range);

}  // namespace bench
