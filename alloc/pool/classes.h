// SPDX-License-Identifier: MIT
// The classes of a configuration, as check(), the pool and the C interface see them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>
#include <vector>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"
#include "alloc/core/range.h"
#include "spillway/pool_config.h"

namespace spillway::pool {

// PoolConfig::tiered(), and SPILLWAY_POOL_TIERED.
inline constexpr size_t kTieredSizes[] = {4 * kKiB, 64 * kKiB, kMiB, 10 * kMiB};
inline constexpr const char* kTieredNames[] = {"small", "medium", "large", "huge"};

// The largest power of two, at most a granule, that divides all sizes, which are not 0.
inline size_t unit_of(const std::vector<size_t>& sizes) {
  size_t all = kGranuleSize;
  for (const size_t size : sizes) {
    all |= size;
  }
  return size_t{1} << std::countr_zero(all);
}

// Bytes of address space that each class gets: for `buffers` of the `largest` one.
inline size_t span_of(size_t buffers, size_t largest) {
  return std::max(std::bit_ceil(buffers * largest), core::Range::kAlignment);
}

// The class's size unless it was given a name.
inline std::string class_name(const PoolConfig& config, size_t index, size_t size) {
  return config.class_names.empty() ? std::to_string(size) : config.class_names[index];
}

}  // namespace spillway::pool
