// SPDX-License-Identifier: MIT
// realloc between all size ranges keeps the contents; realloc(p, 0) frees and gives NULL; a failed
// one leaves the block.
#include "family.h"
#include "process.h"

static void check_contents(void) {
  for (size_t i = 0; i < kSizeCount; i++) {
    for (size_t j = 0; j < kSizeCount; j++) {
      size_t from = kSizes[i], to = kSizes[j] == 0 ? 1 : kSizes[j];
      void* p = malloc(from);
      fill_bytes(p, 0, from, (unsigned)(i + j));
      void* q = realloc(p, to);
      CHECK(q != NULL);
      CHECK(bytes_match(q, 0, from < to ? from : to, (unsigned)(i + j)));
      CHECK_COMPARE(malloc_usable_size(q), >=, to);
      fill_bytes(q, 0, to, 7);
      free(q);
    }
  }
}

static void check_growth(size_t step, size_t end) {
  void* p = NULL;
  void* neighbour = NULL;
  size_t old = 0;
  for (size_t n = step; n <= end; n += step) {
    p = realloc(p, n);
    CHECK(p != NULL);
    CHECK(bytes_match(p, 0, old < 64 ? old : 64, 3));
    CHECK(old < 64 || bytes_match(p, old - 64, old, 3));
    fill_bytes(p, old, n, 3);
    old = n;
    if (n % (5 * step) == 0) {  // something in the way
      free(neighbour);
      neighbour = malloc(n);
    }
  }
  CHECK(bytes_match(p, 0, old, 3));
  while (old > step) {
    old -= step;
    p = realloc(p, old);
    CHECK(p != NULL);
    CHECK(bytes_match(p, old < 64 ? 0 : old - 64, old, 3));
  }
  free(p);
  free(neighbour);
}

static void check_zero(void) {
  for (size_t i = 0; i < kSizeCount; i++) CHECK(realloc(malloc(kSizes[i]), opaque_size(0)) == NULL);
  for (size_t i = 0; i < kSizeCount; i++)
    CHECK(reallocarray(malloc(kSizes[i]), opaque_size(0), 9) == NULL);
  // realloc(p, 0) really frees: 4 GiB pass through a process that may not keep them.
  size_t before = resident_bytes();
  for (int i = 0; i < 4096; i++) {
    char* p = malloc(1 << 20);
    p[0] = p[(1 << 20) - 1] = 1;
    CHECK(realloc(p, opaque_size(0)) == NULL);
  }
  CHECK_COMPARE(resident_bytes(), <, before + (16 << 20));
}

static void check_failure(void) {
  for (size_t i = 0; i < kSizeCount; i++) {
    size_t n = kSizes[i] + 8;
    void* p = malloc(n);
    fill_bytes(p, 0, n, (unsigned)i);
    for (size_t j = 0; j < kImpossibleCount; j++)
      CHECK_NO_MEMORY(realloc(opaque(p), opaque_size(kImpossible[j])));
    CHECK(bytes_match(p, 0, n, (unsigned)i));
    free(p);
  }
}

int main(void) {
  check_contents();
  check_growth(1000, 200000);
  check_growth(4096, 3 << 20);
  check_growth(100000, 6 << 20);
  check_zero();
  check_failure();
  return 0;
}
