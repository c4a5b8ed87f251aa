// SPDX-License-Identifier: MIT
// The C interface, used from C11.
#include <stdlib.h>

#include "test/pool/c_test.h"

int failed_checks = 0;

struct spillway_pool_config config_of(enum spillway_pool_preset preset) {
  struct spillway_pool_config config;
  CHECK(spillway_pool_config_init(&config, sizeof config, preset) == SPILLWAY_POOL_OK);
  config.thread_cache_buffers = 0;
  return config;
}

struct spillway_pool* make_pool(const struct spillway_pool_config* config) {
  struct spillway_pool* pool = NULL;
  char why[256];
  if (spillway_pool_create(config, &pool, why, sizeof why) != SPILLWAY_POOL_OK) {
    fprintf(stderr, "no pool: %s\n", why);
    exit(1);
  }
  CHECK(why[0] == '\0');
  return pool;
}

struct spillway_pool* make_small_pool(size_t buffers) {
  struct spillway_pool_config config = config_of(SPILLWAY_POOL_DEFAULT);
  config.min_size = 4096;
  config.max_size = 8192;
  config.max_per_class = buffers;
  return make_pool(&config);
}

int main(void) {
  test_config();
  test_buffers();
  test_observation();
  return failed_checks != 0;
}
