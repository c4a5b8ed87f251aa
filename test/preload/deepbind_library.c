// SPDX-License-Identifier: MIT
// The plugin of deepbind.c: the heap that it is bound to, and work of its own with it.
#include "deepbind.h"

#include "family.h"

static int churn(unsigned seed) {
  for (size_t i = 0; i < kSizeCount; i++) {
    size_t n = kSizes[i] + 8;
    void* p = malloc(n);
    if (p == NULL) return 1;
    stamp(p, n, seed);
    void* q = calloc(1, n);
    if (q == NULL || !all_zero(q, n)) return 2;
    if (!is_stamped(p, n, seed)) return 3;
    fill_bytes(q, 0, n, seed);
    q = realloc(q, n * 2);
    if (q == NULL || !bytes_match(q, 0, n, seed)) return 4;
    free(q);
    free(p);
  }
  return 0;
}

__attribute__((visibility("default")))
const struct Heap heap = {malloc, calloc, realloc, aligned_alloc, free, malloc_usable_size, churn};
