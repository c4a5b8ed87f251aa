// SPDX-License-Identifier: MIT
// Blocks of all ranges that are made before main and checked and freed later.
#ifndef SPILLWAY_TEST_PRELOAD_EARLY_H_
#define SPILLWAY_TEST_PRELOAD_EARLY_H_

#include "family.h"

struct EarlyBlocks {
  uint64_t owner;
  void* blocks[kSizeCount];
};

static inline size_t early_size(size_t i) { return kSizes[i] + 8; }

static inline void early_make(struct EarlyBlocks* e, uint64_t owner) {
  e->owner = owner;
  for (size_t i = 0; i < kSizeCount; i++) {
    free(malloc(early_size(i)));
    e->blocks[i] = i % 2 == 0 ? malloc(early_size(i)) : calloc(1, early_size(i));
    CHECK(e->blocks[i] != NULL);
    if (i % 2 != 0) CHECK(all_zero(e->blocks[i], early_size(i)));
    stamp(e->blocks[i], early_size(i), owner);
  }
}

static inline void early_check(const struct EarlyBlocks* e) {
  CHECK(e->owner != 0);
  for (size_t i = 0; i < kSizeCount; i++) CHECK(is_stamped(e->blocks[i], early_size(i), e->owner));
}

static inline void early_free(struct EarlyBlocks* e) {
  early_check(e);
  for (size_t i = 0; i < kSizeCount; i++) {
    if (i % 2 == 0) {
      free(e->blocks[i]);
    } else {
      e->blocks[i] = realloc(e->blocks[i], 30000);
      CHECK(e->blocks[i] != NULL);
      free(e->blocks[i]);
    }
  }
}

#endif  // SPILLWAY_TEST_PRELOAD_EARLY_H_
