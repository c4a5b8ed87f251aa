// SPDX-License-Identifier: MIT
// The C allocation calls, each one line over alloc/heap.
#include <cstddef>

#include "alloc/heap/heap.h"
#include "alloc/heap/inspect.h"
#include "alloc/heap/posix.h"
#include "shim/export.h"

namespace heap = spillway::heap;

SPILLWAY_EXPORT void* malloc(size_t size) noexcept { return heap::allocate(size); }
SPILLWAY_EXPORT void free(void* pointer) noexcept { heap::free(pointer); }
SPILLWAY_EXPORT void cfree(void* pointer) noexcept { heap::free(pointer); }
SPILLWAY_EXPORT void free_sized(void* pointer, size_t size) noexcept {
  heap::free_sized(pointer, size);
}
SPILLWAY_EXPORT void free_aligned_sized(void* pointer, size_t /*alignment*/,
                                        size_t /*size*/) noexcept {
  heap::free(pointer);
}
SPILLWAY_EXPORT void* calloc(size_t count, size_t size) noexcept {
  return heap::calloc(count, size);
}
SPILLWAY_EXPORT void* realloc(void* pointer, size_t size) noexcept {
  return heap::reallocate(pointer, size);
}
SPILLWAY_EXPORT void* reallocarray(void* pointer, size_t count, size_t size) noexcept {
  return heap::reallocarray(pointer, count, size);
}
SPILLWAY_EXPORT void* memalign(size_t alignment, size_t size) noexcept {
  return heap::memalign(alignment, size);
}
SPILLWAY_EXPORT void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return heap::memalign(alignment, size);
}
SPILLWAY_EXPORT int posix_memalign(void** out, size_t alignment, size_t size) noexcept {
  return heap::posix_memalign(out, alignment, size);
}
SPILLWAY_EXPORT void* valloc(size_t size) noexcept { return heap::valloc(size); }
SPILLWAY_EXPORT void* pvalloc(size_t size) noexcept { return heap::pvalloc(size); }
SPILLWAY_EXPORT size_t malloc_usable_size(void* pointer) noexcept {
  return heap::usable_size(pointer);
}

SPILLWAY_EXPORT int malloc_trim(size_t pad) noexcept { return heap::trim(pad); }
SPILLWAY_EXPORT void malloc_stats() noexcept { heap::print_statistics(); }
