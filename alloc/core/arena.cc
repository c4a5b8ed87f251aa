#include "alloc/core/arena.h"

#include <bit>

#include "alloc/base/bits.h"
#include "alloc/base/check.h"
#include "alloc/core/commit.h"

namespace spillway::core {

bool Arena::reserve(uint32_t spans, size_t most_span_bytes, size_t least_span_bytes,
                    unsigned granule_shift) {
  set_granule_shift(granule_shift);
  SPILLWAY_DCHECK(is_power_of_two(most_span_bytes) && is_power_of_two(least_span_bytes));
  SPILLWAY_DCHECK(least_span_bytes >= kAlignment);
  // With a limit on address space, three quarters of what is left stay for the program.
  const uint64_t most_bytes = os::address_space_left() / 4;
  for (size_t span = most_span_bytes; span >= least_span_bytes; span /= 2) {
    if (span * spans > most_bytes || !reserve_range(span * spans)) {
      continue;
    }
    void* states = os::reserve(bytes() >> granule_shift, os::Access::kRead, nullptr);
    if (states == nullptr) {
      release();
      continue;
    }
    states_ = static_cast<StateByte*>(states);
    span_shift_ = static_cast<unsigned>(std::countr_zero(span));
    return true;
  }
  return false;
}

void Arena::release() {
  const size_t states_bytes = bytes() >> granule_shift();
  void* const states = states_;
  states_ = nullptr;
  release_range();
  if (states != nullptr) {
    os::release(states, states_bytes);
  }
}

bool Arena::commit(Granule first, size_t granules) {
  return commit_pages(states_ + raw(first), granules) &&
         commit_pages(address(first), granules << granule_shift());
}

}  // namespace spillway::core
