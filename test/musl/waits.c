// SPDX-License-Identifier: MIT
// Holds blocks to the end, says "ready" and waits until stdin ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kBlocks = 64, kBytes = 64 << 10 };

static void* blocks[kBlocks];

__attribute__((noinline)) static void take_blocks(void) {
  for (int i = 0; i < kBlocks; i++) {
    blocks[i] = malloc(kBytes);
    if (blocks[i] == NULL) abort();
    memset(blocks[i], 1, kBytes);
  }
}

int main(void) {
  take_blocks();
  puts("ready");
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) continue;
  return 3;
}
