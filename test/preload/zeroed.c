// SPDX-License-Identifier: MIT
// calloc reads as zero over every size when the memory was dirty before, also when the block was
// dirtied to its usable size.
#include "family.h"

enum { kBlocks = 24, kRounds = 4 };

static void dirty(void* p) { memset(p, 0xa5, malloc_usable_size(p)); }

int main(void) {
  for (int round = 0; round < kRounds; round++) {
    for (size_t i = 0; i < kSizeCount; i++) {
      size_t n = kSizes[i];
      void* blocks[kBlocks];
      for (int b = 0; b < kBlocks; b++) {
        blocks[b] = round % 2 == 0 ? malloc(n) : calloc(1, n);
        CHECK(blocks[b] != NULL);
        dirty(blocks[b]);
      }
      for (int b = 0; b < kBlocks; b++) free(blocks[b]);
      for (int b = 0; b < kBlocks; b++) {
        blocks[b] = b % 2 == 0 ? calloc(1, n) : calloc(n, 1);
        CHECK(blocks[b] != NULL);
        CHECK(all_zero(blocks[b], n));
        dirty(blocks[b]);
      }
      for (int b = 0; b < kBlocks; b++) free(blocks[b]);
      char* p = calloc(opaque_size(3), n);
      CHECK(p != NULL && all_zero(p, 3 * n));
      dirty(p);
      free(p);
    }
  }
  return 0;
}
