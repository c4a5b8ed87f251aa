// SPDX-License-Identifier: MIT
#include "bench/latency/histogram.h"

#include <algorithm>
#include <cmath>

namespace bench {

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::percentile(double share) const {
  const auto rank = static_cast<std::uint64_t>(
      std::ceil(share * static_cast<double>(count_) - 1e-6));  // 0.999 * 1000 may be 999.0000001
  const std::uint64_t wanted =
      std::clamp<std::uint64_t>(rank, 1, std::max<std::uint64_t>(count_, 1));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= wanted) {
      // The last bucket also holds what was cut down to kLargest.
      return i + 1 == kBuckets ? max_ : std::min(largest_of(i), max_);
    }
  }
  return 0;
}

std::vector<Histogram::Bucket> Histogram::buckets(std::size_t most) const {
  std::vector<Bucket> found;
  std::size_t together = 1;
  do {
    found.clear();
    for (std::size_t first = 0; first < kBuckets; first += together) {
      const std::size_t end = std::min(first + together, kBuckets);
      std::uint64_t count = 0;
      for (std::size_t i = first; i < end; ++i) {
        count += counts_[i];
      }
      if (count != 0) {
        found.push_back({largest_of(end - 1), count});
      }
    }
    together *= 2;
  } while (found.size() > most && together <= kBuckets);
  return found;
}

}  // namespace bench
