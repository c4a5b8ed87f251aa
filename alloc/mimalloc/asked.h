// SPDX-License-Identifier: MIT
// Requests that mimalloc 2.0.9 passes on before it serves them (asked_first_209.h): to another
// allocator, or to the heap profile. mimalloc's calls ask_first() and sample_small() turn it on.
#pragma once

#include <cstddef>

namespace spillway::mimalloc {

// Before an aligned request, which mimalloc does not pass on: while small requests are sampled, its
// list has to end elsewhere.
void prepare_aligned(size_t size);

}  // namespace spillway::mimalloc
