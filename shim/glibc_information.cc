// SPDX-License-Identifier: MIT
// Calls that only glibc's <malloc.h> has, each one line over alloc/heap.
#include "alloc/heap/glibc_information.h"

#include "shim/export.h"

namespace heap = spillway::heap;

SPILLWAY_EXPORT struct mallinfo2 mallinfo2() noexcept { return heap::info2(); }
SPILLWAY_EXPORT struct mallinfo mallinfo() noexcept { return heap::info(); }
SPILLWAY_EXPORT int malloc_info(int options, FILE* stream) noexcept {
  return heap::info_xml(options, stream);
}
SPILLWAY_EXPORT int mallopt(int parameter, int value) noexcept {
  return heap::set_parameter(parameter, value);
}
