// SPDX-License-Identifier: MIT
// malloc_usable_size is stable for a block's life and the caller may write all of it; NULL has 0.
#include "family.h"

int main(void) {
  CHECK_COMPARE(malloc_usable_size(NULL), ==, 0);
  void* blocks[kSizeCount];
  size_t usable[kSizeCount];
  for (size_t i = 0; i < kSizeCount; i++) {
    blocks[i] = i % 3 == 0 ? memalign(256, kSizes[i]) : malloc(kSizes[i]);
    usable[i] = malloc_usable_size(blocks[i]);
    CHECK_COMPARE(usable[i], >=, kSizes[i]);
    fill_bytes(blocks[i], 0, usable[i], (unsigned)i);
  }
  void* noise[64];
  for (int i = 0; i < 64; i++) noise[i] = calloc(1, kSizes[i % kSizeCount]);
  for (size_t i = 0; i < kSizeCount; i++) {
    CHECK_COMPARE(malloc_usable_size(blocks[i]), ==, usable[i]);
    CHECK(bytes_match(blocks[i], 0, usable[i], (unsigned)i));
    // Growing into the usable size and keeping the contents.
    blocks[i] = realloc(blocks[i], usable[i]);
    CHECK(blocks[i] != NULL && bytes_match(blocks[i], 0, usable[i], (unsigned)i));
  }
  for (int i = 0; i < 64; i++) free(noise[i]);
  for (size_t i = 0; i < kSizeCount; i++) free(blocks[i]);
  return 0;
}
