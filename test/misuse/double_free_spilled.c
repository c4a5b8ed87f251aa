// The second free comes when the block has been spilled from the thread's cache to the freelist.
#include "misuse.h"

enum { kBlocks = 6000 };

int main(void) {
  static void* blocks[kBlocks];
  for (int i = 0; i < kBlocks; i++) blocks[i] = malloc(16384);
  for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  expect("double", blocks[0], 0, 16384);
  free(opaque(blocks[0]));
  return survived();
}
