// SPDX-License-Identifier: MIT
// Random replacement: each thread owns a set of live blocks and replaces one after the other,
// chosen at random, by a block of random size. One operation is one free and one malloc. No block
// changes hands. The live set is always full, so an allocator can't answer from the block freed
// last.
#pragma once

#include <cstddef>
#include <memory>

#include "bench/threads/blocks.h"
#include "bench/threads/crew.h"
#include "bench/threads/sequence.h"

namespace bench {

struct ReplacementPlan {
  int threads;
  std::size_t live;  // blocks per thread
  SizeRange range;
};

// Blocks is LoadedBlocks or NoBlocks; use is kNone, or kFirstWord of LoadedBlocks.
template <class Blocks, Use use>
std::unique_ptr<Work> make_replacement(ReplacementPlan plan);

}  // namespace bench
