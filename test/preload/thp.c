// SPDX-License-Identifier: MIT
// A little of everything, for each policy of huge pages: contents stay right, zeroed memory is
// zero, and free memory can go back.
#include "family.h"
#include "process.h"

enum { kBlocks = 600 };

int main(void) {
  static void* blocks[kBlocks];
  static size_t sizes[kBlocks];
  uint64_t random = 3;
  const size_t before = resident_bytes();
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < kBlocks; i++) {
      sizes[i] = random_size(&random, 12, i % 50 == 0 ? 23 : 20);
      blocks[i] = i % 2 == 0 ? malloc(sizes[i]) : calloc(1, sizes[i]);
      CHECK(blocks[i] != NULL);
      if (i % 2 != 0) CHECK(all_zero(blocks[i], sizes[i]));
      stamp(blocks[i], sizes[i], (uint64_t)i);
    }
    for (int i = 0; i < kBlocks; i += 3) {
      const size_t size = random_size(&random, 12, 20);
      void* block = realloc(blocks[i], size);
      CHECK(block != NULL);
      stamp(block, size, (uint64_t)i);
      blocks[i] = block;
      sizes[i] = size;
    }
    for (int i = 0; i < kBlocks; i++) {
      CHECK(is_stamped(blocks[i], sizes[i], (uint64_t)i));
      free(blocks[i]);
    }
    const size_t peak = resident_bytes();
    CHECK_COMPARE(malloc_trim(0), ==, 1);
    CHECK_COMPARE(resident_bytes() - before, <=, (peak - before) / 4);
  }
  return 0;
}
