// SPDX-License-Identifier: MIT
// Counts of values in buckets that grow with the value, so that everything from nanoseconds to
// minutes fits in ten kilobytes: 32 equal buckets for each power of two, values below 64 one by
// one. A bucket is at most 1/32 as wide as its values. Values have no unit here. Recording is a few
// instructions without a branch on the value and never allocates; an object of zero bytes is empty.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

class Histogram {
 public:
  // Larger values count as this one, but in max().
  static constexpr std::uint64_t kLargest = (std::uint64_t{1} << 40) - 1;

  static constexpr std::size_t kBuckets = 36 * 32;

  struct Bucket {
    std::uint64_t largest;  // value that belongs to it
    std::uint64_t count;
  };

  void record(std::uint64_t value) {
    ++counts_[index_of(value < kLargest ? value : kLargest)];
    ++count_;
    max_ = value > max_ ? value : max_;
  }

  void add(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }  // exact; 0 if empty

  // The value that `share` (0 to 1) of all values don't exceed, nearest rank: the largest that
  // belongs to its bucket, so never too good, but not more than max(). 0 if empty.
  std::uint64_t percentile(double share) const;

  // Those with a count, in ascending order. Where there are more than `most`, buckets of the finest
  // grid are put together by twos, fours, ... until there are not.
  std::vector<Bucket> buckets(std::size_t most) const;

  // The bucket of a value up to kLargest, and the largest value of a bucket.
  static constexpr std::size_t index_of(std::uint64_t value) {
    const auto bits = static_cast<unsigned>(std::bit_width(value | (2 * kSteps - 1)));
    const unsigned shift = bits - kStepBits - 1;
    return shift * kSteps + static_cast<std::size_t>(value >> shift);
  }
  static constexpr std::uint64_t largest_of(std::size_t index) {
    const std::size_t shift = index < 2 * kSteps ? 0 : index / kSteps - 1;
    return ((std::uint64_t{index - shift * kSteps} + 1) << shift) - 1;
  }

 private:
  static constexpr unsigned kStepBits = 5;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;

  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  std::array<std::uint64_t, kBuckets> counts_{};
};

static_assert(Histogram::index_of(Histogram::kLargest) + 1 == Histogram::kBuckets);

}  // namespace bench
