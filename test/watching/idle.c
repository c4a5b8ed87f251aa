// SPDX-License-Identifier: MIT
// A program that `spillway ps` finds: holds 100 blocks of 16384 bytes, says "ready" and waits for
// the end of its input.
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  static void* blocks[100];
  for (int i = 0; i < 100; i++) {
    blocks[i] = malloc(16384);
    if (blocks[i] == NULL) {
      return 1;
    }
  }
  puts("ready");
  fflush(stdout);
  while (getchar() != EOF) {
  }
  return 0;
}
