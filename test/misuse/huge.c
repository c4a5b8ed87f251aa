// SPDX-License-Identifier: MIT
// A block above 64 MiB, which has a mapping of its own: CALL of it when it was freed, or of an
// address OFFSET bytes inside.
#include "misuse.h"

static void free_(void* p) { free(p); }
static void realloc_(void* p) { CHECK(realloc(p, opaque_size(100)) == NULL); }

int main(void) {
  (void)free_;
  (void)realloc_;
  char* p = malloc((size_t)70 << 20);
  CHECK(p != NULL);
#if FREED
  free(p);
  expect("foreign-" NAME, p, 0, kAnyClass);
  CALL(opaque(p));
#elif OFFSET < 0
  expect("before", p + OFFSET, 0, malloc_usable_size(p));
  CALL(opaque(p + OFFSET));
#elif OFFSET >= 32 << 20
  expect("foreign-" NAME, p + OFFSET, 0, kAnyClass);
  CALL(opaque(p + OFFSET));
#else
  expect("interior", p + OFFSET, OFFSET, malloc_usable_size(p));
  CALL(opaque(p + OFFSET));
#endif
  return survived();
}
