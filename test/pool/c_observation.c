// SPDX-License-Identifier: MIT
// Tenants, regions and statistics; structs of earlier and later headers.
#include <stdlib.h>

#include "test/pool/c_test.h"

struct told {
  int calls;
  char name[16];
  uint64_t live;
  uint64_t limit;
};

static void limit_crossed(const char* name, uint64_t live, uint64_t limit, void* context) {
  struct told* told = context;
  ++told->calls;
  snprintf(told->name, sizeof told->name, "%s", name);
  told->live = live;
  told->limit = limit;
}

static void test_tenants(void) {
  struct spillway_pool* pool = make_small_pool(4);
  struct spillway_pool_tenant* web = NULL;
  struct spillway_pool_tenant* again = NULL;
  struct spillway_pool_tenant_usage usage;
  struct told told = {0};
  CHECK(spillway_pool_tenant_create(pool, "web", &web) == SPILLWAY_POOL_OK && web != NULL);
  CHECK(spillway_pool_tenant_create(pool, "web", &again) == SPILLWAY_POOL_OK && again == web);
  spillway_pool_tenant_read(web, &usage, sizeof usage);
  CHECK(strcmp(usage.name, "web") == 0 && usage.live_bytes == 0);
  CHECK(usage.soft_limit_bytes == 256 << 20 && usage.soft_limit_exceeded_total == 0);

  spillway_pool_tenant_set_limit(web, 10000);
  CHECK(spillway_pool_on_tenant_limit(pool, limit_crossed, &told) == SPILLWAY_POOL_OK);
  struct spillway_pool_buffer buffers[2];
  for (int i = 0; i < 2; ++i) {
    CHECK(spillway_pool_alloc(pool, 5000, web, &buffers[i]) == SPILLWAY_POOL_OK);
  }
  CHECK(told.calls == 1 && strcmp(told.name, "web") == 0);
  CHECK(told.live == 16384 && told.limit == 10000);
  spillway_pool_tenant_charge(web, 1000);
  spillway_pool_tenant_read(web, &usage, sizeof usage);
  CHECK(usage.live_bytes == 17384 && usage.soft_limit_exceeded_total == 2);
  spillway_pool_tenant_discharge(web, 1000);
  CHECK(spillway_pool_resize(&buffers[0], 9000) == SPILLWAY_POOL_OK);
  spillway_pool_tenant_read(web, &usage, sizeof usage);
  CHECK(usage.live_bytes == 8192 + 9000);
  spillway_pool_return(&buffers[0]);
  struct spillway_pool_shared shared = spillway_pool_freeze(&buffers[1]);
  spillway_pool_release(&shared);
  spillway_pool_tenant_read(web, &usage, sizeof usage);
  CHECK(usage.live_bytes == 0);

  CHECK(spillway_pool_on_tenant_limit(pool, NULL, NULL) == SPILLWAY_POOL_OK);
  spillway_pool_tenant_charge(web, 20000);
  CHECK(told.calls == 1);

  // An earlier and a later header.
  struct {
    struct spillway_pool_tenant_usage usage;
    uint64_t later_field;
  } later = {.later_field = 5};
  spillway_pool_tenant_read(web, &later.usage, sizeof later);
  CHECK(later.usage.live_bytes == 20000 && later.later_field == 0);
  usage.soft_limit_bytes = 7;
  spillway_pool_tenant_read(web, &usage,
                            offsetof(struct spillway_pool_tenant_usage, soft_limit_bytes));
  CHECK(usage.live_bytes == 20000 && usage.soft_limit_bytes == 7);
  spillway_pool_destroy(pool);
}

struct regions {
  uint32_t count;
  struct iovec memory[4];
};

static void region_added(uint32_t number, const struct iovec* memory, void* context) {
  struct regions* regions = context;
  CHECK(number == regions->count && number < 4);
  regions->memory[regions->count++] = *memory;
}

static void test_regions(void) {
  struct spillway_pool_config config = config_of(SPILLWAY_POOL_TIERED);
  config.max_per_class = 2;
  config.pinned = 1;
  struct spillway_pool* pool = make_pool(&config);
  struct regions told = {0};
  struct iovec regions[4];
  CHECK(spillway_pool_regions(pool, NULL, 0) == 0);
  CHECK(spillway_pool_on_region(pool, region_added, &told) == SPILLWAY_POOL_OK);
  struct spillway_pool_buffer large;
  struct spillway_pool_buffer small;
  struct spillway_pool_buffer second;
  CHECK(spillway_pool_try_alloc(pool, 1 << 20, NULL, &large) == SPILLWAY_POOL_OK);
  CHECK(spillway_pool_try_alloc(pool, 1, NULL, &small) == SPILLWAY_POOL_OK);
  CHECK(spillway_pool_try_alloc(pool, 1, NULL, &second) == SPILLWAY_POOL_OK);
  CHECK(told.count == 2 && told.memory[0].iov_len == 2 << 20 && told.memory[1].iov_len == 8192);
  CHECK(spillway_pool_regions(pool, NULL, 0) == 2);
  memset(regions, 0, sizeof regions);
  CHECK(spillway_pool_regions(pool, regions, 1) == 2 && regions[1].iov_base == NULL);
  CHECK(spillway_pool_regions(pool, regions, 4) == 2);
  CHECK(memcmp(regions, told.memory, sizeof regions) == 0);

  size_t offset = 7;
  CHECK(spillway_pool_locate(pool, large.data, NULL) == 0);
  CHECK(spillway_pool_locate(pool, (char*)second.data + 5, &offset) == 1);
  CHECK((char*)regions[1].iov_base + offset == (char*)second.data + 5);
  CHECK(spillway_pool_locate(pool, &offset, NULL) == -1);
  CHECK(spillway_pool_locate(pool, NULL, NULL) == -1);

  CHECK(spillway_pool_on_region(pool, NULL, NULL) == SPILLWAY_POOL_OK);
  struct spillway_pool_buffer medium;
  CHECK(spillway_pool_try_alloc(pool, 10000, NULL, &medium) == SPILLWAY_POOL_OK);
  CHECK(told.count == 2 && spillway_pool_regions(pool, NULL, 0) == 3);
  CHECK(spillway_pool_purge(pool) == 0);
  spillway_pool_return(&large);
  spillway_pool_return(&small);
  spillway_pool_return(&second);
  spillway_pool_return(&medium);
  spillway_pool_destroy(pool);

  config.prefill = 1;
  config.class_count = 2;
  pool = make_pool(&config);
  CHECK(spillway_pool_regions(pool, regions, 4) == 2);
  spillway_pool_destroy(pool);
  config.pinned = 0;
  pool = make_pool(&config);
  CHECK(spillway_pool_regions(pool, regions, 4) == 0);
  CHECK(spillway_pool_locate(pool, &config, NULL) == -1);
  spillway_pool_destroy(pool);
}

static void test_statistics(void) {
  struct spillway_pool* pool = make_small_pool(1);
  struct spillway_pool_tenant* tenant = NULL;
  CHECK(spillway_pool_tenant_create(pool, "t", &tenant) == SPILLWAY_POOL_OK);
  struct spillway_pool_buffer buffer;
  struct spillway_pool_buffer other;
  for (int i = 0; i < 3; ++i) {
    CHECK(spillway_pool_alloc(pool, 4096, tenant, &buffer) == SPILLWAY_POOL_OK);
    spillway_pool_return(&buffer);
  }
  CHECK(spillway_pool_alloc(pool, 4096, tenant, &buffer) == SPILLWAY_POOL_OK);
  CHECK(spillway_pool_try_alloc(pool, 4096, NULL, &other) == SPILLWAY_POOL_EXHAUSTED);
  CHECK(spillway_pool_alloc(pool, 10000, NULL, &other) == SPILLWAY_POOL_OK);
  struct spillway_pool_statistics all;
  CHECK(spillway_pool_read_statistics(pool, &all, sizeof all) == SPILLWAY_POOL_OK);
  CHECK(all.allocations == 5 && all.oversized == 1 && all.unpooled == 1);
  CHECK(all.recycles + all.misses == all.allocations);
  CHECK(all.live_bytes == 4096 && all.class_count == 2);
  struct spillway_pool_class_statistics one;
  CHECK(spillway_pool_read_class(pool, 0, &one, sizeof one) == SPILLWAY_POOL_OK);
  CHECK(strcmp(one.name, "4096") == 0 && one.size == 4096 && one.allocations == 4);
  CHECK(one.created + one.hits == 4 && one.exhausted == 1 && one.live == 1);
  CHECK(one.cached == 0 && one.free == 0);
  memset(&one, 0xff, sizeof one);
  CHECK(spillway_pool_read_class(pool, 2, &one, sizeof one) == SPILLWAY_POOL_INVALID);
  CHECK(one.name == NULL && one.size == 0 && one.free == 0);

  const size_t length = spillway_pool_prometheus(pool, NULL, 0);
  char* text = malloc(length + 1);
  CHECK(spillway_pool_prometheus(pool, text, length + 1) == length && strlen(text) == length);
  CHECK(strstr(text, "\nspillway_pool_class_allocations_total{class=\"4096\"} 4\n") != NULL);
  CHECK(spillway_pool_prometheus(pool, text, 3) == length && strcmp(text, "# ") == 0);
  free(text);
  spillway_pool_return(&buffer);
  spillway_pool_return(&other);
  spillway_pool_destroy(pool);

  struct spillway_pool_config config = config_of(SPILLWAY_POOL_TIERED);
  pool = make_pool(&config);
  CHECK(spillway_pool_read_class(pool, 3, &one, sizeof one) == SPILLWAY_POOL_OK);
  CHECK(strcmp(one.name, "huge") == 0 && one.size == 10 << 20);
  spillway_pool_destroy(pool);
}

void test_observation(void) {
  test_tenants();
  test_regions();
  test_statistics();
}
