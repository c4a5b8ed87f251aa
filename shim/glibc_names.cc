// SPDX-License-Identifier: MIT
// The names under which glibc's own parts, and programs that look for the real malloc behind an
// override, call the allocator. One that is missing binds to glibc's empty heap.
#include <cstddef>

#include "alloc/heap/heap.h"
#include "alloc/heap/posix.h"
#include "shim/export.h"

namespace heap = spillway::heap;

// NOLINTBEGIN(readability-identifier-naming): glibc's names
SPILLWAY_EXPORT void* __libc_malloc(size_t size) noexcept { return heap::allocate(size); }
SPILLWAY_EXPORT void __libc_free(void* pointer) noexcept { heap::free(pointer); }
SPILLWAY_EXPORT void __libc_cfree(void* pointer) noexcept { heap::free(pointer); }
SPILLWAY_EXPORT void* __libc_calloc(size_t count, size_t size) noexcept {
  return heap::calloc(count, size);
}
SPILLWAY_EXPORT void* __libc_realloc(void* pointer, size_t size) noexcept {
  return heap::reallocate(pointer, size);
}
SPILLWAY_EXPORT void* __libc_reallocarray(void* pointer, size_t count, size_t size) noexcept {
  return heap::reallocarray(pointer, count, size);
}
SPILLWAY_EXPORT void* __libc_memalign(size_t alignment, size_t size) noexcept {
  return heap::memalign(alignment, size);
}
SPILLWAY_EXPORT void* __libc_aligned_alloc(size_t alignment, size_t size) noexcept {
  return heap::memalign(alignment, size);
}
SPILLWAY_EXPORT int __posix_memalign(void** out, size_t alignment, size_t size) noexcept {
  return heap::posix_memalign(out, alignment, size);
}
SPILLWAY_EXPORT void* __libc_valloc(size_t size) noexcept { return heap::valloc(size); }
SPILLWAY_EXPORT void* __libc_pvalloc(size_t size) noexcept { return heap::pvalloc(size); }
// NOLINTEND(readability-identifier-naming)
