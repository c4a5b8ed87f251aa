// SPDX-License-Identifier: MIT
// Requests that mimalloc 2.0.9 passes on before it serves them, and who serves them: another
// allocator, the small sampler, or the heap of a tenant.
#pragma once

#include <cstddef>

namespace spillway::mimalloc {

// From now on mimalloc asks `take` before it serves a request of less than 4 KiB or one that the
// heap passes on; null: it serves the request itself. Sizes for which it has free blocks at the
// moment may be served from these without being asked, at most some 64 KiB of each in each thread.
// With other versions of mimalloc, and the system's, nothing happens.
void ask_first(void* (*take)(size_t size, bool zeroed));

}  // namespace spillway::mimalloc
