// SPDX-License-Identifier: MIT
#include "alloc/core/pace.h"

namespace spillway::core {

void Pace::look(uint64_t now_ns, Given given) {
  if (looked_at_ns_ != 0) {
    const uint64_t ns = now_ns - looked_at_ns_;
    const bool hurry = is_hurry(given.bytes - looked_given_.bytes, ns);
    busy_ = is_work(given.blocks - looked_given_.blocks, ns);
    slow_looks_ = hurry ? 0 : slow_looks_ + 1;
    hurried_ = hurry || (hurried_ && slow_looks_ < kSlowLooks);
  }
  looked_at_ns_ = now_ns;
  looked_given_ = given;
}

}  // namespace spillway::core
