// SPDX-License-Identifier: MIT
// Of the buffer pool in C: POOL.md's program.
#include <spillway/pool.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  struct spillway_pool_config config;
  spillway_pool_config_init(&config, sizeof config, SPILLWAY_POOL_NETWORK);
  config.max_per_class = 256;
  struct spillway_pool* pool = NULL;
  char why[256];
  if (spillway_pool_create(&config, &pool, why, sizeof why) != SPILLWAY_POOL_OK) {
    return fprintf(stderr, "%s\n", why), 1;
  }
  struct spillway_pool_buffer buffer;
  const enum spillway_pool_error error = spillway_pool_try_alloc(pool, 1500, NULL, &buffer);
  if (error != SPILLWAY_POOL_OK) {
    return fprintf(stderr, "%s\n", spillway_pool_error_name(error)), 1;
  }
  memcpy(buffer.data, "hello", 5);  // there is room for buffer.capacity, 2048
  buffer.length = 5;
  struct spillway_pool_shared shared = spillway_pool_freeze(&buffer);
  struct spillway_pool_shared part = spillway_pool_slice(&shared, 1, 3);  // "ell", no copy
  spillway_pool_release(&shared);
  printf("%.*s\n", (int)part.length, (const char*)part.data);
  spillway_pool_release(&part);  // the last of them gives the buffer back
  spillway_pool_destroy(pool);
}
