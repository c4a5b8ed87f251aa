// SPDX-License-Identifier: MIT
// One thread allocates for three that only free: a block goes to the next thread whose bounded ring
// has room. All the memory has to find its way back to a single thread. One operation is one
// block's whole way; the slower side sets its time.
#pragma once

#include <cstddef>
#include <memory>

#include "bench/threads/crew.h"

namespace bench {

// The first word of each block is written and read.
std::unique_ptr<Work> make_free_only(std::size_t size);

}  // namespace bench
