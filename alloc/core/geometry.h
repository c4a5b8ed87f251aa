// What one set of size classes looks like: block sizes, slots, and how many blocks a thread may
// cache. Computed once when an engine starts, read-only from then on.
//
// Colouring: a slot of a coloured class is a granule longer than its block, which starts at one of
// the slot's first 64 lines. Blocks in use then do not compete for the same sets of the processor's
// caches (jemalloc's cache-oblivious large allocations do the same, at random). The steps form a
// lattice in which slots of different classes that share a line are far apart: 57 c + 5 s = 0 (mod
// 64) has no solution nearer than 7 classes and 3 slots. From slot to slot the step is small, so
// that blocks used in turn are mostly one stride apart, which prefetchers follow: such a walk
// (bench_memory, walk) takes 0.7 of jemalloc's time, and 0.95 with a step of 49, which spreads as
// well.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"
#include "alloc/core/groups.h"
#include "alloc/core/slot_state.h"

namespace spillway::core {

inline constexpr uint32_t kColours = kGranuleSize / kLineSize;
inline constexpr uint32_t kSlotColours = 5;    // lines from slot to slot
inline constexpr uint32_t kClassColours = 57;  // and from class to class

struct ClassGeometry {
  uint32_t block_size = 0;       // bytes a caller may use
  uint32_t stride_granules = 0;  // distance between neighbouring slots
  uint32_t slots = 0;            // that fit the span
  bool coloured = false;
  bool fixed_bins = false;   // of first_capacity, whatever happens
  uint8_t first_colour = 0;  // slot 0's line
  GroupLayout groups;
  Divider by_stride;
  // A thread's bin for this class, in blocks.
  uint32_t first_capacity = 0;  // of a thread that is not hurried (thread_cache.h)
  uint32_t flow_capacity = 0;   // enough to make batches pay when blocks only pass through
  uint32_t most_capacity = 0;   // the stack's length
  uint32_t capacity_step = 0;   // added when the bin is missed in both directions
  uint32_t stack_offset = 0;    // where the stack starts among the thread cache's entries

  // Bytes from a slot's start to its block.
  size_t colour(SlotIndex slot) const {
    return coloured ? size_t{(first_colour + raw(slot) * kSlotColours) % kColours} << kLineShift
                    : 0;
  }
};

struct Geometry {
  uint32_t class_count = 0;
  uint32_t stack_entries = 0;  // of all classes' stacks together
  ClassGeometry classes[kMaxClasses];

  const ClassGeometry& of(ClassIndex index) const { return classes[raw(index)]; }
};

// What all classes have in common.
struct Layout {
  size_t coloured_from = SIZE_MAX;  // blocks of at least so many bytes are coloured
  unsigned granule_shift = kGranuleShift;
  uint32_t most_slots = UINT32_MAX;  // in each class, if the span has room for more
  // Instead of bins that adapt, and of groups: nothing is set aside for a thread but what is in its
  // bins, of so many blocks each.
  bool fixed_bins = false;
  uint32_t bin_capacity = 0;
};

// `block_sizes` are multiples of a granule, ascending, at most kMaxClasses - 1 of them.
constexpr Geometry make_geometry(std::span<const uint32_t> block_sizes, size_t span_bytes,
                                 const Layout& layout) {
  // The longest bin, in bytes, within bounds in blocks: random work on a few hundred live blocks
  // lets the number of live ones in each class wander by about ten (bench_threads, replace/256).
  constexpr size_t kMostBinBytes = 8 * kMiB;
  constexpr size_t kLeastBinBlocks = 16;
  constexpr size_t kMostBinBlocks = 256;
  // A thread that is not hurried may keep some of the small blocks: without them, and more threads
  // than processors, every tenth malloc of 4 to 64 KiB took 200 ns (bench_latency, 4K-64K/8t).
  constexpr size_t kMostFirstSize = 64 * kKiB;
  constexpr size_t kFirstBytes = 256 * kKiB;
  constexpr size_t kFlowBytes = kMiB;
  // Steps are small in blocks where blocks are large: a doubled bin of 1 MiB blocks would take the
  // whole budget from its neighbours.
  constexpr size_t kStepBytes = 256 * kKiB;
  // Five cache lines, so that the ends of stacks that are used equally much are in different sets
  // of the first-level cache.
  constexpr uint32_t kStackPadding = 40;
  constexpr auto clamp = [](size_t value, size_t least, size_t most) {
    return static_cast<uint32_t>(value < least ? least : value > most ? most : value);
  };
  Geometry geometry;
  for (const uint32_t size : block_sizes) {
    ClassGeometry& one = geometry.classes[++geometry.class_count];
    one.block_size = size;
    one.coloured = size >= layout.coloured_from;
    one.first_colour = static_cast<uint8_t>(geometry.class_count * kClassColours % kColours);
    one.stride_granules = (size >> layout.granule_shift) + (one.coloured ? 1 : 0);
    one.slots = static_cast<uint32_t>(std::min<size_t>(
        (span_bytes >> layout.granule_shift) / one.stride_granules, layout.most_slots));
    one.by_stride = Divider(one.stride_granules);
    one.groups = GroupLayout(layout.fixed_bins ? GroupLayout::kStatesPerLine : one.stride_granules);
    one.first_capacity = size <= kMostFirstSize ? clamp(kFirstBytes / size, 4, 16) : 0;
    one.flow_capacity = clamp(kFlowBytes / size, 4, 64);
    one.most_capacity = clamp(kMostBinBytes / size, kLeastBinBlocks, kMostBinBlocks);
    one.capacity_step = clamp(kStepBytes / size, 2, 16);
    if (layout.fixed_bins) {
      one.fixed_bins = true;
      one.first_capacity = one.flow_capacity = one.most_capacity = layout.bin_capacity;
    }
    one.stack_offset = geometry.stack_entries;
    geometry.stack_entries += one.most_capacity + kStackPadding;
  }
  return geometry;
}

}  // namespace spillway::core
