// SPDX-License-Identifier: MIT
// What one set of size classes looks like to a thread cache: block sizes, and how many blocks a
// thread may cache. Computed once when an engine starts, read-only from then on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"

namespace spillway::core {

// Blocks that move between a thread cache and its store at a time, at most: half of the longest
// bin, and little of a small stack.
inline constexpr uint32_t kMaxBatch = 128;

struct ClassGeometry {
  uint32_t block_size = 0;  // bytes a caller may use
  bool fixed_bins = false;  // of first_capacity, whatever happens
  // A thread's bin for this class, in blocks.
  uint32_t first_capacity = 0;  // of a thread that is neither busy nor fast (allocation_rate.h)
  uint32_t busy_capacity = 0;   // of a busy one
  uint32_t flow_capacity = 0;   // enough to make batches pay when blocks only pass through
  uint32_t max_capacity = 0;    // the stack's length
  uint32_t capacity_step = 0;   // added when the bin is missed in both directions
  uint32_t stack_offset = 0;    // where the stack starts among the thread cache's entries
};

struct Geometry {
  uint32_t class_count = 0;
  uint32_t stack_entries = 0;  // of all classes' stacks together
  ClassGeometry classes[kMaxClasses];

  const ClassGeometry& of(ClassIndex index) const { return classes[raw(index)]; }
};

struct BinLayout {
  // Bins of `capacity` blocks in all classes, always; 0 is none.
  bool fixed = false;
  uint32_t capacity = 0;
  // Otherwise: bytes of each class that a thread may keep which is neither busy nor fast, and
  // of a class that a busy one misses.
  size_t slow_bytes = 0;
  size_t busy_bytes = slow_bytes;
};

// `block_sizes` ascend; at most kMaxClasses - 1 of them.
constexpr Geometry make_geometry(std::span<const uint32_t> block_sizes, BinLayout layout) {
  // The longest bin: blocks of a server's connections, say, that come and go. Longer ones for
  // random sizes would be memory that shows (start.cc, cache_budget()).
  constexpr size_t kMaxBinBytes = 512 * kKiB;
  constexpr size_t kMinBinBlocks = 1;
  constexpr size_t kMaxBinBlocks = 256;
  constexpr size_t kFlowBytes = 512 * kKiB;
  // Steps are small in blocks where blocks are large: a doubled bin of 1 MiB blocks would take the
  // whole budget from its neighbours.
  constexpr size_t kStepBytes = 256 * kKiB;
  // Five cache lines, so that the ends of stacks that are used equally much are in different sets
  // of the first-level cache.
  constexpr uint32_t kStackPadding = 40;
  constexpr auto clamp = [](size_t value, size_t min, size_t max) {
    return static_cast<uint32_t>(value < min ? min : value > max ? max : value);
  };
  Geometry geometry;
  for (const uint32_t size : block_sizes) {
    ClassGeometry& one = geometry.classes[++geometry.class_count];
    one.block_size = size;
    one.first_capacity = clamp(layout.slow_bytes / size, 0, 16);
    one.busy_capacity = std::max(one.first_capacity, clamp(layout.busy_bytes / size, 0, 16));
    one.flow_capacity = clamp(kFlowBytes / size, 1, 64);
    one.max_capacity = clamp(kMaxBinBytes / size, kMinBinBlocks, kMaxBinBlocks);
    one.capacity_step = clamp(kStepBytes / size, 1, 16);
    if (layout.fixed) {
      one.fixed_bins = true;
      one.first_capacity = one.busy_capacity = layout.capacity;
      one.flow_capacity = one.max_capacity = layout.capacity;
    }
    one.stack_offset = geometry.stack_entries;
    geometry.stack_entries += one.max_capacity + kStackPadding;
  }
  return geometry;
}

}  // namespace spillway::core
