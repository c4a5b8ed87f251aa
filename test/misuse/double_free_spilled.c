// SPDX-License-Identifier: MIT
// The second free comes when the block has been spilled from the thread's cache to the freelist.
#include "misuse.h"

enum { kBlocks = 6000 };

int main(void) {
  static void* blocks[kBlocks];
  for (int i = 0; i < kBlocks; i++) blocks[i] = malloc(SIZE);
  for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  expect("double", blocks[0], 0, SIZE);
  free(opaque(blocks[0]));
  return survived();
}
