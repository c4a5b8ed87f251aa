// What one set of size classes looks like: block sizes, slots, and how many blocks a thread may
// cache. Computed once when an engine starts, read-only from then on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"

namespace spillway::core {

struct ClassGeometry {
  uint32_t block_size = 0;       // bytes a caller may use
  uint32_t stride_granules = 0;  // distance between neighbouring blocks
  uint32_t slots = 0;            // blocks that fit the span
  Divider by_stride;
  // A thread's bin for this class, in blocks.
  uint32_t first_capacity = 0;  // after the first miss
  uint32_t flow_capacity = 0;   // enough to make batches pay when blocks only pass through
  uint32_t most_capacity = 0;   // the stack's length
  uint32_t capacity_step = 0;   // added when the bin is missed in both directions
  uint32_t stack_offset = 0;    // where the stack starts among the thread cache's entries
  // Untouched blocks that a thread takes at a time: their state bytes fill a cache line, so that
  // threads which grow at the same time do not share one.
  uint32_t run_slots = 0;
};

struct Geometry {
  uint32_t class_count = 0;
  uint32_t stack_entries = 0;  // of all classes' stacks together
  ClassGeometry classes[kMaxClasses];

  const ClassGeometry& of(ClassIndex index) const { return classes[raw(index)]; }
};

// `block_sizes` are multiples of kGranuleSize, ascending, at most kMaxClasses - 1 of them.
constexpr Geometry make_geometry(std::span<const uint32_t> block_sizes, size_t span_bytes) {
  // The longest bin, in bytes, within bounds in blocks: random work on a few hundred live blocks
  // lets the number of live ones in each class wander by about ten (bench_threads, replace/256).
  constexpr size_t kMostBinBytes = 8 * kMiB;
  constexpr size_t kLeastBinBlocks = 16;
  constexpr size_t kMostBinBlocks = 256;
  constexpr size_t kFirstBytes = 64 * kKiB;
  constexpr size_t kFlowBytes = kMiB;
  // Steps are small in blocks where blocks are large: a doubled bin of 1 MiB blocks would take the
  // whole budget from its neighbours.
  constexpr size_t kStepBytes = 256 * kKiB;
  constexpr size_t kStatesPerLine = 64;
  constexpr size_t kMostShareOfSpan = 256;
  constexpr auto clamp = [](size_t value, size_t least, size_t most) {
    return static_cast<uint32_t>(value < least ? least : value > most ? most : value);
  };
  Geometry geometry;
  for (const uint32_t size : block_sizes) {
    ClassGeometry& one = geometry.classes[++geometry.class_count];
    one.block_size = size;
    one.stride_granules = size >> kGranuleShift;
    one.slots = static_cast<uint32_t>(span_bytes / size);
    one.by_stride = Divider(one.stride_granules);
    one.first_capacity = clamp(kFirstBytes / size, 1, 8);
    one.flow_capacity = clamp(kFlowBytes / size, 4, 64);
    one.most_capacity = clamp(kMostBinBytes / size, kLeastBinBlocks, kMostBinBlocks);
    one.capacity_step = clamp(kStepBytes / size, 2, 16);
    one.stack_offset = geometry.stack_entries;
    one.run_slots = clamp(kStatesPerLine / one.stride_granules, 1,
                          one.slots > kMostShareOfSpan ? one.slots / kMostShareOfSpan : 1);
    geometry.stack_entries += one.most_capacity;
  }
  return geometry;
}

}  // namespace spillway::core
