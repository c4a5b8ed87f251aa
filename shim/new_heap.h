// SPDX-License-Identifier: MIT
// How operator new and delete reach the heap. In the preload library they inline its fast paths. In
// the static library they are a member of their own, which only C++ programs pull in: there they
// call a few entries of the other member (new_entries.cc), the only names that the two share.
#pragma once

#include <cstddef>

#if SPILLWAY_NEW_APART

#define SPILLWAY_ENTRY __attribute__((visibility("hidden")))
extern "C" {
SPILLWAY_ENTRY void* spillway_entry_allocate(size_t size) noexcept;
SPILLWAY_ENTRY void* spillway_entry_allocate_aligned(size_t alignment, size_t size) noexcept;
SPILLWAY_ENTRY void spillway_entry_free(void* pointer) noexcept;
SPILLWAY_ENTRY void spillway_entry_free_sized(void* pointer, size_t size) noexcept;
}

namespace spillway::shim {

inline void* allocate(size_t size) { return spillway_entry_allocate(size); }
inline void* allocate_aligned(size_t alignment, size_t size) {
  return spillway_entry_allocate_aligned(alignment, size);
}
inline void free(void* pointer) { spillway_entry_free(pointer); }
inline void free_sized(void* pointer, size_t size) { spillway_entry_free_sized(pointer, size); }

}  // namespace spillway::shim

#else

#include "alloc/heap/heap.h"

namespace spillway::shim {

using heap::allocate;
using heap::allocate_aligned;
using heap::free;
using heap::free_sized;

}  // namespace spillway::shim

#endif
