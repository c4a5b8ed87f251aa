// SPDX-License-Identifier: MIT
// What a trace holds, as it asked for it; no allocator has a part in these figures.
#pragma once

#include <cstdint>

#include "bench/trace/format.h"

namespace bench::trace {

struct Summary {
  std::uint64_t made = 0;          // blocks
  std::uint64_t pooled = 0;        // of them, those of 4 KiB to 1 MiB
  std::uint64_t bytes = 0;         // asked for
  std::uint64_t pooled_bytes = 0;  // by those of 4 KiB to 1 MiB
  std::uint64_t peak_live = 0;     // most bytes asked for at once
  std::uint64_t left = 0;          // blocks live at the end
  std::uint64_t elsewhere = 0;     // blocks ended by another thread than the one that made them
};

Summary summarize(const Recording& recording);

}  // namespace bench::trace
