// SPDX-License-Identifier: MIT
// Free memory that waits to go back, for which the library has a thread.
#ifndef SPILLWAY_TEST_GUEST_BURST_H_
#define SPILLWAY_TEST_GUEST_BURST_H_

#include "family.h"
#include "process.h"
#include "tasks.h"

// Allocates so many MiB in blocks of `size`, writes to all of it, and frees it.
static inline void burst_of(size_t size, size_t mib) {
  const size_t count = (mib << 20) / size;
  void** blocks = malloc(count * sizeof *blocks);
  CHECK(blocks != NULL);
  for (size_t i = 0; i < count; i++) {
    blocks[i] = malloc(size);
    CHECK(blocks[i] != NULL);
    memset(blocks[i], 1, size);
  }
  for (size_t i = 0; i < count; i++) free(blocks[i]);
  free(blocks);
}
static inline void burst(size_t mib) { burst_of((size_t)128 << 10, mib); }

#endif  // SPILLWAY_TEST_GUEST_BURST_H_
