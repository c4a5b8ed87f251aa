// SPDX-License-Identifier: MIT
// Every thread allocates, writes the first word and sends the block to another thread, chosen at
// random, and frees what it is sent. There is a bounded ring from each to each; who finds one full
// frees what has arrived, then yields its core. One operation is one block allocated and sent; what
// is under way at the end is freed after the clock has stopped.
#pragma once

#include <cstddef>
#include <memory>

#include "bench/threads/blocks.h"
#include "bench/threads/crew.h"
#include "bench/threads/sequence.h"

namespace bench {

constexpr int kMaxInAllToAll = 8;
using AllToAllStandIns = StandIns<512>;

// Blocks is LoadedBlocks or AllToAllStandIns; 2 to kMaxInAllToAll threads.
template <class Blocks>
std::unique_ptr<Work> make_all_to_all(int threads, SizeRange range);

}  // namespace bench
