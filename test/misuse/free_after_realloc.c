// SPDX-License-Identifier: MIT
// The old address is freed after realloc moved the block, whose neighbours are in use.
#include "misuse.h"

enum { kBlocks = 64 };

int main(void) {
  void* blocks[kBlocks];
  for (int i = 0; i < kBlocks; i++) blocks[i] = malloc(SIZE);
  void* p = blocks[kBlocks / 2];
  void* moved = realloc(p, 700000);
  CHECK(moved != NULL && moved != p);
  expect("double", p, 0, SIZE);
  free(opaque(p));
  return survived();
}
