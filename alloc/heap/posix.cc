// SPDX-License-Identifier: MIT
#include "alloc/heap/posix.h"

#include <bit>
#include <cstdint>

#include "alloc/os/errno_keeper.h"

namespace spillway::heap {

int posix_memalign(void** out, size_t alignment, size_t size) {
  if (!is_power_of_two(alignment) || alignment % sizeof(void*) != 0) {
    return EINVAL;
  }
  const os::ErrnoKeeper keeper;
  void* block = allocate_aligned(alignment, size);
  if (block == nullptr) {
    return ENOMEM;
  }
  *out = block;
  return 0;
}

void* memalign(size_t alignment, size_t size) {
  if (alignment > PTRDIFF_MAX) {
    // The largest power of two is an alignment, only no block has it.
    errno = alignment == size_t{PTRDIFF_MAX} + 1 ? ENOMEM : EINVAL;
    return nullptr;
  }
  // What all blocks have need not be asked for.
  return alignment <= mimalloc::kAlignment ? allocate(size)
                                           : allocate_aligned(std::bit_ceil(alignment), size);
}

void* pvalloc(size_t size) {
  const size_t page = os::page_size();
  return size > PTRDIFF_MAX ? out_of_memory() : memalign(page, align_up(size, page));
}

}  // namespace spillway::heap
