// SPDX-License-Identifier: MIT
// The C library's allocation calls, with their rules for bad arguments, over the heap. Each
// exported entry is one line over one of these or over heap.h.
#pragma once

#include <cerrno>
#include <cstddef>

#include "alloc/base/bits.h"
#include "alloc/heap/heap.h"
#include "alloc/os/os.h"

namespace spillway::heap {

inline void* calloc(size_t count, size_t size) {
  size_t bytes = 0;
  return __builtin_mul_overflow(count, size, &bytes) ? out_of_memory() : allocate_zeroed(bytes);
}

inline void* reallocarray(void* pointer, size_t count, size_t size) {
  size_t bytes = 0;
  return __builtin_mul_overflow(count, size, &bytes) ? out_of_memory() : reallocate(pointer, bytes);
}

// Sets neither errno nor, when it fails, *out.
int posix_memalign(void** out, size_t alignment, size_t size);

// memalign and aligned_alloc as in glibc: an alignment that is no power of two is rounded up to
// one, the size may be anything.
void* memalign(size_t alignment, size_t size);

inline void* valloc(size_t size) { return memalign(os::page_size(), size); }
// Rounds the size up to pages, too.
void* pvalloc(size_t size);

}  // namespace spillway::heap
