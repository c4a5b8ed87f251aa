// SPDX-License-Identifier: MIT
// The static library's C part, as its operator new and delete see it; see new_heap.h.
#define SPILLWAY_NEW_APART 1
#include "shim/new_heap.h"

#include "alloc/heap/heap.h"

namespace heap = spillway::heap;

void* spillway_entry_allocate(size_t size) noexcept { return heap::allocate(size); }
void* spillway_entry_allocate_aligned(size_t alignment, size_t size) noexcept {
  return heap::allocate_aligned(alignment, size);
}
void spillway_entry_free(void* pointer) noexcept { heap::free(pointer); }
void spillway_entry_free_sized(void* pointer, size_t size) noexcept {
  heap::free_sized(pointer, size);
}
