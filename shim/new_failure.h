// SPDX-License-Identifier: MIT
// What of operator new throws or catches.
#pragma once

#include <cstddef>
#include <new>

namespace spillway::shim {

// Calls the program's new-handler until one call of allocate(alignment, size) succeeds; throws
// std::bad_alloc when there is no handler. Handlers may throw. Null in a program that has preloaded
// the library and no C++ run-time library. Alignment 0: plain allocation.
void* new_retry(size_t alignment, size_t size);

// The same; an exception becomes a null pointer.
void* new_retry_nothrow(size_t alignment, size_t size) noexcept;

// What `form`, a throwing operator new, gives; an exception becomes a null pointer.
void* new_or_null(void* form(size_t), size_t size) noexcept;
void* new_or_null(void* form(size_t, std::align_val_t), size_t size,
                  std::align_val_t alignment) noexcept;

}  // namespace spillway::shim
