// SPDX-License-Identifier: MIT
// A pool's address range, cut into equal spans, one per class, and the state bytes of its granules.
//
//   base          base + span        base + 2 span
//   | class 1 ... | class 2 ......... | ...           committed from the left as the class grows
//
// Reading the state of a granule that was never committed is allowed and gives kClean.
// Thread-safe once reserved; no lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/core/slot_state.h"
#include "alloc/core/tabled_range.h"

namespace spillway::core {

class Arena : public TabledRange<StateByte> {
 public:
  // Reserves `spans` spans of `max_span_bytes`, or less, down to `min_span_bytes`, as
  // reserve_with_table(). Both are powers of two and at least kAlignment, so that a class whose
  // stride is a power of two has blocks aligned to their size.
  bool reserve(uint32_t spans, size_t max_span_bytes, size_t min_span_bytes,
               unsigned granule_shift = kGranuleShift);

  StateByte& state(Granule granule) const { return entry(granule); }
  // The number of the span that an offset inside the arena is in.
  size_t span_at(size_t offset) const { return offset >> span_shift_; }
  ClassIndex class_of(Granule granule) const {
    return ClassIndex{static_cast<uint8_t>((raw(granule) >> (span_shift_ - granule_shift())) + 1)};
  }
  // Where the class's slots begin.
  Granule first_granule(ClassIndex index) const {
    return Granule{(uint32_t{raw(index)} - 1) << (span_shift_ - granule_shift())};
  }
  size_t span_bytes() const { return size_t{1} << span_shift_; }

  // The same for granules [from, to) of a class, counted from the span's start.
  using TabledRange::commit;
  [[nodiscard]] bool commit(ClassIndex index, size_t from, size_t to) {
    return commit(Granule{static_cast<uint32_t>(raw(first_granule(index)) + from)}, to - from);
  }

 private:
  unsigned span_shift_ = 0;
};

}  // namespace spillway::core
