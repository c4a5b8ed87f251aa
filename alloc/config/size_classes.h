// SPDX-License-Identifier: MIT
// THE table of the heap's size classes; everything else about them is computed from it. Eight per
// doubling throughout, each a multiple of 512 bytes, and one more for the commonest size in this
// window, a power of two and a header, which would lose an eighth (bench_memory, one_size/16417:
// 1.13 without, 1.03 with it).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"

namespace spillway::config {

inline constexpr size_t kMinPooledSize = 4 * kKiB;
inline constexpr size_t kMaxPooledSize = kMiB;
inline constexpr uint32_t kStepsPerDoubling = 8;
inline constexpr uint32_t kMaxHeader = 512;
inline constexpr uint32_t kHeapClassCount = 72;

// Bytes per block, by class index; entry 0 belongs to kNoClass.
inline constexpr std::array<uint32_t, kHeapClassCount + 1> kHeapClassSizes = [] {
  std::array<uint32_t, kHeapClassCount + 1> sizes{};
  uint32_t index = 0;
  sizes[++index] = kMinPooledSize;
  for (uint32_t doubling = kMinPooledSize; doubling < kMaxPooledSize; doubling *= 2) {
    if (doubling / kStepsPerDoubling > kMaxHeader) {
      sizes[++index] = doubling + kMaxHeader;
    }
    for (uint32_t step = 1; step <= kStepsPerDoubling; ++step) {
      sizes[++index] = doubling + doubling / kStepsPerDoubling * step;
    }
  }
  return sizes;
}();
static_assert(kHeapClassSizes[1] == kMinPooledSize, "below it mimalloc is at home");
static_assert(kHeapClassSizes[kHeapClassCount] == kMaxPooledSize);
static_assert(kHeapClassCount < kMaxClasses);

// Requests are looked up by the least step: entry i serves requests of i * 512 + 1 to (i + 1) *
// 512.
inline constexpr unsigned kSizeMapShift = 9;
inline constexpr size_t kSizeMapEntries = kMaxPooledSize >> kSizeMapShift;
using SizeMap = std::array<ClassIndex, kSizeMapEntries>;

constexpr size_t size_map_entry(size_t size) { return (size - 1) >> kSizeMapShift; }

// The class of every request, before options.
constexpr SizeMap make_size_map() {
  SizeMap map{};
  uint8_t index = 1;
  for (size_t entry = 0; entry < map.size(); ++entry) {
    const size_t largest_request = (entry + 1) << kSizeMapShift;
    while (kHeapClassSizes[index] < largest_request) {
      ++index;
    }
    map[entry] = ClassIndex{index};
  }
  return map;
}
inline constexpr SizeMap kSizeMap = make_size_map();

// The entries for requests of `min_size` to `max_size` bytes, both rounded up to a granule.
struct SizeMapRange {
  size_t first;
  size_t end;
};
constexpr SizeMapRange size_map_range(size_t min_size, size_t max_size) {
  return {size_map_entry(align_up(min_size, kGranuleSize)),
          size_map_entry(align_up(max_size, kGranuleSize)) + 1};
}

}  // namespace spillway::config
