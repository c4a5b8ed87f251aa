// SPDX-License-Identifier: MIT
// Size 0, every border of the pool, and sizes that cannot be served; free keeps errno.
#include "family.h"

static void check_ordinary_sizes(void) {
  void* blocks[kSizeCount];
  for (size_t i = 0; i < kSizeCount; i++) {
    size_t n = kSizes[i];
    blocks[i] = malloc(n);
    CHECK(blocks[i] != NULL);
    CHECK(aligned_to(blocks[i], 16));
    CHECK_COMPARE(malloc_usable_size(blocks[i]), >=, n);
    fill_bytes(blocks[i], 0, n, (unsigned)i);
  }
  for (size_t i = 0; i < kSizeCount; i++) {
    CHECK(bytes_match(blocks[i], 0, kSizes[i], (unsigned)i));
    errno = 4711;
    free(blocks[i]);
    CHECK_COMPARE(errno, ==, 4711);
  }
  errno = 4711;
  free(NULL);
  CHECK_COMPARE(errno, ==, 4711);
}

static void check_zero(void) {
  void* a = malloc(0);
  void* b = malloc(0);
  CHECK(a != NULL && b != NULL && a != b);
  void* c = calloc(0, 10);
  void* d = calloc(10, 0);
  CHECK(c != NULL && d != NULL && c != d);
  void* e = realloc(NULL, 0);
  CHECK(e != NULL);
  free(a), free(b), free(c), free(d), free(e);
}

static void check_impossible(void) {
  for (size_t i = 0; i < kImpossibleCount; i++) {
    size_t n = opaque_size(kImpossible[i]);
    CHECK_NO_MEMORY(malloc(n));
    CHECK_NO_MEMORY(calloc(1, n));
    CHECK_NO_MEMORY(calloc(n, 1));
    CHECK_NO_MEMORY(realloc(NULL, n));
    CHECK_NO_MEMORY(reallocarray(NULL, n, 1));
    CHECK_NO_MEMORY(memalign(4096, n));
    CHECK_NO_MEMORY(aligned_alloc(64, n));
    CHECK_NO_MEMORY(valloc(n));
    CHECK_NO_MEMORY(pvalloc(n));
  }
}

static void check_overflow(void) {
  const size_t pairs[][2] = {{SIZE_MAX, 2},
                             {2, SIZE_MAX},
                             {SIZE_MAX, SIZE_MAX},
                             {(size_t)1 << 32, (size_t)1 << 32},
                             {SIZE_MAX / 4096 + 1, 4096},
                             {3, SIZE_MAX / 2},
                             {((size_t)1 << 52) + 1, 4096}};
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    size_t a = opaque_size(pairs[i][0]), b = opaque_size(pairs[i][1]);
    CHECK_NO_MEMORY(calloc(a, b));
    CHECK_NO_MEMORY(reallocarray(NULL, a, b));
    for (size_t j = 0; j < kSizeCount; j++) {
      void* block = malloc(kSizes[j] + 8);
      stamp(block, kSizes[j] + 8, j);
      CHECK_NO_MEMORY(reallocarray(opaque(block), a, b));
      CHECK(is_stamped(block, kSizes[j] + 8, j));
      free(block);
    }
  }
}

int main(void) {
  check_ordinary_sizes();
  check_zero();
  check_impossible();
  check_overflow();
  check_ordinary_sizes();
  return 0;
}
