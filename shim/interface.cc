// Spillway's own C interface, each function one line over alloc/heap.
#include "alloc/heap/inspect.h"
#include "alloc/heap/limits.h"
#include "shim/export.h"
#include "spillway/spillway.h"

namespace heap = spillway::heap;

SPILLWAY_EXPORT int spillway_version() { return heap::version(); }
SPILLWAY_EXPORT uint64_t spillway_purge() { return heap::purge(); }
SPILLWAY_EXPORT void spillway_flush_thread() { heap::flush_thread(); }
SPILLWAY_EXPORT int spillway_write_statistics(int descriptor, const char* format) {
  return heap::write_statistics_as(descriptor, format);
}
SPILLWAY_EXPORT uint64_t spillway_held_bytes() { return heap::held_bytes(); }
SPILLWAY_EXPORT void spillway_on_limit(spillway_limit_callback callback) {
  heap::set_limit_callback(callback);
}
