// SPDX-License-Identifier: MIT
#include "alloc/core/allocation_rate.h"

namespace spillway::core {

void AllocationRate::look(uint64_t now_ns, Given given) {
  if (looked_at_ns_ != 0) {
    const uint64_t ns = now_ns - looked_at_ns_;
    const bool fast = is_fast_rate(given.bytes - looked_given_.bytes, ns);
    busy_ = is_busy_rate(given.blocks - looked_given_.blocks, ns);
    slow_looks_ = fast ? 0 : slow_looks_ + 1;
    fast_ = fast || (fast_ && slow_looks_ < kSlowLooks);
  }
  looked_at_ns_ = now_ns;
  looked_given_ = given;
}

}  // namespace spillway::core
