// SPDX-License-Identifier: MIT
// One thread allocates, another frees: each block crosses a bounded ring, so every free is a remote
// one and the allocator must carry the memory back to the producer. One operation is one block's
// whole way; the slower side sets its time.
#pragma once

#include <cstddef>
#include <memory>

#include "bench/threads/blocks.h"
#include "bench/threads/crew.h"

namespace bench {

// Blocks of `size` bytes. The producer writes what `use` says, the consumer reads it.
template <class Blocks, Use use>
std::unique_ptr<Work> make_handover(std::size_t size);

}  // namespace bench
