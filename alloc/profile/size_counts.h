// SPDX-License-Identifier: MIT
// What samples stand for, by the size of the request: a bucket for each power of two.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

#include "alloc/profile/stack_table.h"

namespace spillway::profile {

class SizeCounts {
 public:
  // The last one has all sizes from 64 GiB on; the first one, requests of no bytes.
  static constexpr size_t kBuckets = 38;

  static constexpr size_t bucket_of(size_t size) {
    return std::min(static_cast<size_t>(std::bit_width(size)), kBuckets - 1);
  }
  // The smallest size in the bucket.
  static constexpr size_t min_size(size_t bucket) {
    return bucket == 0 ? 0 : size_t{1} << (bucket - 1);
  }

  void allocated(size_t size, Sampler::Weight weight) { of_size(size).allocated(weight); }
  void freed(size_t size, Sampler::Weight weight) { of_size(size).freed(weight); }
  StackCounts::Sum sum(size_t bucket) const { return counts_[bucket].sum(); }

 private:
  StackCounts& of_size(size_t size) { return counts_[bucket_of(size)]; }

  StackCounts counts_[kBuckets];
};

static_assert(SizeCounts::min_size(SizeCounts::bucket_of(4096)) == 4096);

}  // namespace spillway::profile
