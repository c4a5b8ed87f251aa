// SPDX-License-Identifier: MIT
// The heap that serves the process instead of ours, where a tool brings one: that of a sanitizer
// that the program was linked with, or of a tool of Valgrind's. Their reports need their own
// blocks. mimalloc and the engine never start then, so that every call arrives at a slow path,
// which passes it on from there: the fast paths know nothing of it.
//
//   sanitizer  serves malloc by names of its own; its run-time library starts later than malloc is
//              first called, and before that none of the C library's functions may be
//   Valgrind   replaces malloc where it finds it, but not all of the calls that glibc has beside it
//
// A function passes a call on as its last act: a sanitizer that walks frame pointers then finds the
// program.
#pragma once

#include <cstddef>

namespace spillway::mimalloc {

// A few instructions. The same answer for the process' life.
bool has_other_heap();
bool has_sanitizer_heap();

// For blocks of that heap alone.
void* other_allocate(size_t size, bool zeroed);
void* other_allocate_aligned(size_t alignment, size_t size);
void* other_reallocate(void* block, size_t size);
void other_free(void* block);
size_t other_usable_size(const void* block);

}  // namespace spillway::mimalloc
