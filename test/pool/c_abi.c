// SPDX-License-Identifier: MIT
// The C interface as a program of C11 sees it: sizes, places of fields and numbers of constants,
// which programs that were compiled before depend on. A line that fails is a break of the ABI.
#include <assert.h>
#include <stdalign.h>
#include <stddef.h>

#include "spillway/pool.h"

#define AT(type, field, offset) \
  static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define SIZE(type, bytes)                               \
  static_assert(sizeof(struct type) == (bytes), #type); \
  static_assert(alignof(struct type) == sizeof(void*), #type)

static_assert(UINTPTR_MAX == UINT64_MAX, "the layouts below are those of 64 bits");

SIZE(spillway_pool_buffer, 32);
AT(spillway_pool_buffer, data, 0);
AT(spillway_pool_buffer, length, 8);
AT(spillway_pool_buffer, capacity, 16);
AT(spillway_pool_buffer, owner, 24);

SIZE(spillway_pool_shared, 32);
AT(spillway_pool_shared, data, 0);
AT(spillway_pool_shared, length, 8);
AT(spillway_pool_shared, start, 16);
AT(spillway_pool_shared, owner, 24);

SIZE(spillway_pool_config, 104);
AT(spillway_pool_config, struct_size, 0);
AT(spillway_pool_config, min_size, 8);
AT(spillway_pool_config, max_size, 16);
AT(spillway_pool_config, class_sizes, 24);
AT(spillway_pool_config, class_names, 32);
AT(spillway_pool_config, class_count, 40);
AT(spillway_pool_config, pool_min_size, 48);
AT(spillway_pool_config, max_per_class, 56);
AT(spillway_pool_config, alignment, 64);
AT(spillway_pool_config, parallelism, 72);
AT(spillway_pool_config, thread_cache_buffers, 80);
AT(spillway_pool_config, tenant_soft_limit, 88);
AT(spillway_pool_config, prefill, 96);
AT(spillway_pool_config, pinned, 100);

SIZE(spillway_pool_tenant_usage, 32);
AT(spillway_pool_tenant_usage, name, 0);
AT(spillway_pool_tenant_usage, live_bytes, 8);
AT(spillway_pool_tenant_usage, soft_limit_bytes, 16);
AT(spillway_pool_tenant_usage, soft_limit_exceeded_total, 24);

SIZE(spillway_pool_statistics, 56);
AT(spillway_pool_statistics, allocations, 0);
AT(spillway_pool_statistics, recycles, 8);
AT(spillway_pool_statistics, misses, 16);
AT(spillway_pool_statistics, oversized, 24);
AT(spillway_pool_statistics, unpooled, 32);
AT(spillway_pool_statistics, live_bytes, 40);
AT(spillway_pool_statistics, class_count, 48);

SIZE(spillway_pool_class_statistics, 72);
AT(spillway_pool_class_statistics, name, 0);
AT(spillway_pool_class_statistics, size, 8);
AT(spillway_pool_class_statistics, allocations, 16);
AT(spillway_pool_class_statistics, created, 24);
AT(spillway_pool_class_statistics, hits, 32);
AT(spillway_pool_class_statistics, exhausted, 40);
AT(spillway_pool_class_statistics, live, 48);
AT(spillway_pool_class_statistics, cached, 56);
AT(spillway_pool_class_statistics, free, 64);

static_assert(sizeof(enum spillway_pool_error) == sizeof(int), "errors are ints");
static_assert(sizeof(enum spillway_pool_preset) == sizeof(int), "presets are ints");
static_assert(SPILLWAY_POOL_OK == 0 && SPILLWAY_POOL_OVERSIZED == 1 &&
                  SPILLWAY_POOL_EXHAUSTED == 2 && SPILLWAY_POOL_NO_MEMORY == 3 &&
                  SPILLWAY_POOL_INVALID == 4 && SPILLWAY_POOL_SHARED == 5,
              "numbers of errors");
static_assert(SPILLWAY_POOL_DEFAULT == 0 && SPILLWAY_POOL_PAGE_BUFFERS == 1 &&
                  SPILLWAY_POOL_TIERED == 2 && SPILLWAY_POOL_NETWORK == 3 &&
                  SPILLWAY_POOL_STORAGE == 4,
              "numbers of presets");
static_assert(SPILLWAY_POOL_CACHE_AUTOMATIC == SIZE_MAX, "number of an automatic cache");
