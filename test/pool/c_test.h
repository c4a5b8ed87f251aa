// SPDX-License-Identifier: MIT
// What the C interface's tests in C have in common: the program ends with a line for each CHECK
// that failed, and status 1.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "spillway/pool.h"

extern int failed_checks;

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      ++failed_checks;                                                \
    }                                                                 \
  } while (0)

// Each file's tests.
void test_config(void);
void test_buffers(void);
void test_observation(void);

// The preset's, without thread caches: what is exhausted does not depend on them.
struct spillway_pool_config config_of(enum spillway_pool_preset preset);
struct spillway_pool* make_pool(const struct spillway_pool_config* config);
// Classes of 4 and 8 KiB, `buffers` of each.
struct spillway_pool* make_small_pool(size_t buffers);
