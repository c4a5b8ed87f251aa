// SPDX-License-Identifier: MIT
// Making a block smaller never fails, at the hard limit either. For SPILLWAY_HARD_LIMIT=100M.
#include <errno.h>

#include "burst.h"

enum { kMax = 100000 };

int main(void) {
  static const size_t kFrom[] = {8 << 20, 2 << 20, 1 << 20, 300000, 40000, 9000};
  enum { kCount = sizeof kFrom / sizeof *kFrom };
  char* shrinking[kCount];
  for (int i = 0; i < kCount; i++) {
    shrinking[i] = malloc(kFrom[i]);
    CHECK(shrinking[i] != NULL);
    memset(shrinking[i], 1, kFrom[i]);
  }
  static void* blocks[kMax];
  int count = 0;
  while (count < kMax && (blocks[count] = malloc(60000)) != NULL) memset(blocks[count++], 1, 60000);
  CHECK(count < kMax);
  for (int i = 0; i < 40000; i++) {  // small ones are not refused, but count
    char* small = malloc(1000);
    if (small != NULL) memset(small, 1, 1000);
  }
  CHECK(malloc(20000) == NULL);
  for (int i = 0; i < kCount; i++)
    for (size_t size = kFrom[i] / 2; size >= 16; size /= 3) {
      errno = 0;
      char* block = realloc(shrinking[i], size);
      CHECK(block != NULL);
      CHECK(errno == 0);
      CHECK(block[0] == 1 && block[size - 1] == 1);
      CHECK(malloc_usable_size(block) >= size);
      shrinking[i] = block;
    }
  return 0;
}
