// SPDX-License-Identifier: MIT
// Threads that live briefly: each allocates its blocks, writes the first word of each, frees them
// and ends; the next one starts when it has ended. One operation is one thread's life, creation and
// join included, which is most of it. An allocator pays for its state of the thread each time.
#pragma once

#include <cstddef>
#include <memory>

#include "bench/threads/blocks.h"
#include "bench/threads/crew.h"
#include "bench/threads/sequence.h"

namespace bench {

constexpr std::size_t kBlocksOfALife = 16;

// Blocks is LoadedBlocks or NoBlocks. `threads` create others, one after the other.
template <class Blocks>
std::unique_ptr<Work> make_thread_churn(int threads, SizeRange range);

}  // namespace bench
