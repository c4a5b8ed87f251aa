// SPDX-License-Identifier: MIT
// Spillway's own C interface, each function one line over alloc/heap.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "alloc/heap/inspect.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/set_option.h"
#include "alloc/heap/tenants.h"
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

namespace {

// 0 is none for programs.
constexpr uint64_t limit_of(uint64_t soft_limit) {
  return soft_limit == 0 ? heap::kNoLimit : soft_limit;
}

// -1 with errno for programs.
int told(int outcome) {
  if (outcome >= 0) {
    return outcome;
  }
  errno = -outcome;
  return -1;
}

}  // namespace

SPILLWAY_EXPORT int spillway_tenant_create(const char* name, uint64_t soft_limit) {
  return told(heap::create_tenant(name != nullptr ? name : "", limit_of(soft_limit)));
}
SPILLWAY_EXPORT int spillway_tenant_enter(int tenant) { return told(heap::enter_tenant(tenant)); }
SPILLWAY_EXPORT int spillway_tenant_leave() { return told(heap::enter_tenant(heap::kNoTenant)); }
SPILLWAY_EXPORT int spillway_tenant_set_limit(int tenant, uint64_t soft_limit) {
  return heap::set_tenant_limit(tenant, limit_of(soft_limit)) ? 0 : EINVAL;
}
SPILLWAY_EXPORT int spillway_tenant_read(int tenant, spillway_tenant_usage* usage, size_t size) {
  spillway::stats::TenantSnapshot seen;
  if (!heap::read_tenant(tenant, seen)) {
    return EINVAL;
  }
  const spillway_tenant_usage all = {.name = seen.tenant,
                                     .live_bytes = seen.live_bytes,
                                     .live_blocks = seen.live_blocks,
                                     .peak_bytes = seen.peak_bytes,
                                     .soft_limit_bytes = seen.soft_limit_bytes,
                                     .allocations_total = seen.allocations_total,
                                     .soft_limit_exceeded_total = seen.soft_limit_exceeded_total,
                                     .soft_limit_crossed_total = seen.soft_limit_crossed_total,
                                     .uncharged_total = seen.uncharged_total};
  // A program may have been compiled with fewer fields, or with more.
  std::memset(usage, 0, size);
  std::memcpy(usage, &all, std::min(size, sizeof all));
  return 0;
}
SPILLWAY_EXPORT uint64_t spillway_tenant_bytes(int tenant) {
  spillway::stats::TenantSnapshot seen;
  return heap::read_tenant(tenant, seen) ? seen.live_bytes : 0;
}
SPILLWAY_EXPORT void spillway_on_tenant_limit(spillway_tenant_callback callback) {
  heap::set_tenant_callback(callback);
}
SPILLWAY_EXPORT int spillway_get_option(const char* name, char* value, size_t size) {
  return heap::get_option_as(name, value, size);
}
SPILLWAY_EXPORT int spillway_set_option(const char* name, const char* value) {
  return heap::set_option_as(name, value);
}
