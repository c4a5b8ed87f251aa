// SPDX-License-Identifier: MIT
#include "alloc/core/arena.h"

#include <bit>

#include "alloc/base/bits.h"
#include "alloc/base/check.h"

namespace spillway::core {

bool Arena::reserve(uint32_t spans, size_t max_span_bytes, size_t min_span_bytes,
                    unsigned granule_shift) {
  set_granule_shift(granule_shift);
  SPILLWAY_DCHECK(is_power_of_two(max_span_bytes) && is_power_of_two(min_span_bytes));
  SPILLWAY_DCHECK(min_span_bytes >= kAlignment);
  if (!reserve_with_table(spans * max_span_bytes, spans * min_span_bytes)) {
    return false;
  }
  span_shift_ = static_cast<unsigned>(std::countr_zero(bytes() / spans));
  return true;
}

}  // namespace spillway::core
