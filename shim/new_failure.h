// What operator new does when memory runs out.
#pragma once

#include <cstddef>

namespace spillway::shim {

// Calls the program's new-handler until one call of allocate(alignment, size) succeeds; throws
// std::bad_alloc when there is no handler. Handlers may throw. Null in a program that has preloaded
// the library and no C++ run-time library. Alignment 0: plain allocation.
void* new_retry(size_t alignment, size_t size);

// The same; an exception becomes a null pointer.
void* new_retry_nothrow(size_t alignment, size_t size) noexcept;

}  // namespace spillway::shim
