// SPDX-License-Identifier: MIT
// What hardened mode consists of. Each part works without the others; together they are stronger.
#pragma once

#include <cstdint>

namespace spillway::guard {

struct Parts {
  // Blocks of 4 KiB and more end at a page that is not accessible and begin behind one; the pages
  // of a freed block are not accessible and hold no memory.
  bool guard_pages = false;
  // Freed memory reads as zero, and is looked at again when it is reused.
  bool zero_on_free = false;
  // The bytes around a block hold a secret that is looked at when it is freed.
  bool canaries = false;
  // Where the next block is cannot be told from where the last one was.
  bool random_placement = false;
  // So many freed blocks of a size wait before one of them is reused; at most kMaxQuarantine.
  uint32_t quarantine = 0;

  bool any() const {
    return guard_pages || zero_on_free || canaries || random_placement || quarantine != 0;
  }
};

inline constexpr uint32_t kMaxQuarantine = 4096;

}  // namespace spillway::guard
