// SPDX-License-Identifier: MIT
// Blocks pass through four threads: one allocates and writes the first word, two read it and pass
// the block on, one frees it. Three bounded rings lie between them. One operation is one block's
// whole way; the slowest stage sets its time, or, with fewer cores than threads, all of them.
#pragma once

#include <cstddef>
#include <memory>

#include "bench/threads/blocks.h"
#include "bench/threads/crew.h"

namespace bench {

using PipelineStandIns = StandIns<256>;

// Blocks is LoadedBlocks or PipelineStandIns.
template <class Blocks>
std::unique_ptr<Work> make_pipeline(std::size_t size);

}  // namespace bench
