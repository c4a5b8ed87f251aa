// SPDX-License-Identifier: MIT
// Memory for the program's own data, apart from the allocator that it counts: while a thread is
// stopped in the middle of malloc no other thread may wait for a lock of that allocator. The
// program's operator new and delete come from here too; malloc and free are the allocator's. Memory
// is kept for reuse and never given back. Any thread; a spin lock per call.
#pragma once

#include <cstddef>

namespace bench::contention {

// Aligned to 16. Ends the program if the kernel gives nothing.
void* own_allocate(std::size_t size);
void* own_reallocate(void* block, std::size_t size);
void own_release(void* block);

}  // namespace bench::contention
