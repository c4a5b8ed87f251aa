// SPDX-License-Identifier: MIT
// Blocks of every size are aligned as glibc's, to 16 bytes, however they were asked for and however
// they grew; what may be used of one is what was asked for, at least, and stays.
#include "family.h"

enum { kMaxSize = 2048, kKept = 16 };

static void check_block(void* block, size_t size) {
  CHECK(block != NULL);
  CHECK(aligned_to(block, 16));
  size_t usable = malloc_usable_size(block);
  CHECK_COMPARE(usable, >=, size);
  fill_bytes(block, 0, usable, (unsigned)size);
  CHECK_COMPARE(malloc_usable_size(block), ==, usable);
}

// Some of each stay live, so that blocks of a page differ.
static void check_fresh(void) {
  static void* kept[kMaxSize][kKept];
  for (size_t size = 0; size < kMaxSize; size++) {
    void** blocks = kept[size];
    blocks[0] = malloc(size);
    blocks[1] = calloc(1, size);
    blocks[2] = calloc(size, 1);
    blocks[3] = realloc(NULL, size);
    blocks[4] = reallocarray(NULL, size, 1);
    for (int i = 5; i < 9; i++) blocks[i] = memalign((size_t)1 << (i - 5), size);
    blocks[9] = aligned_alloc(16, size);
    CHECK_COMPARE(posix_memalign(&blocks[10], 8, size), ==, 0);
    CHECK_COMPARE(posix_memalign(&blocks[11], 16, size), ==, 0);
    for (int i = 12; i < kKept; i++) blocks[i] = malloc(size % 9);
    for (int i = 1; i < 3; i++)
      for (size_t at = 0; at < size; at++) CHECK(((char*)blocks[i])[at] == 0);
    for (int i = 0; i < kKept; i++) check_block(blocks[i], i < 12 ? size : size % 9);
    for (int i = 0; i < kKept; i += 3) {
      free(blocks[i]);
      blocks[i] = NULL;
    }
  }
  for (size_t size = 0; size < kMaxSize; size++)
    for (int i = 0; i < kKept; i++) free(kept[size][i]);
}

static void check_reallocated(size_t from, size_t to) {
  unsigned char* block = malloc(from);
  for (size_t at = 0; at < from; at++) block[at] = (unsigned char)(at + 1);
  block = realloc(block, to);
  CHECK(block != NULL && aligned_to(block, 16));
  for (size_t at = 0; at < from && at < to; at++) CHECK(block[at] == (unsigned char)(at + 1));
  check_block(block, to);
  block = reallocarray(block, 1, from + 1);
  check_block(block, from + 1);
  free(block);
}

int main(void) {
  for (int round = 0; round < 3; round++) check_fresh();
  for (size_t from = 0; from < 40; from++)
    for (size_t to = 1; to < 40; to++) check_reallocated(from, to);
  for (size_t i = 0; i < kSizeCount; i++)
    for (size_t small = 1; small <= 17; small++) {
      check_reallocated(kSizes[i], small);
      if (kSizes[i] != 0) check_reallocated(small, kSizes[i]);
    }
  return 0;
}
