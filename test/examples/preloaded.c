// SPDX-License-Identifier: MIT
// A program that knows nothing of Spillway until it is preloaded, and then says how much it holds.
// Declared weak, the functions of spillway.h need no library at link time.
#define SPILLWAY_WEAK
#include <spillway/spillway.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  const size_t bytes = 1 << 20;
  char* block = malloc(bytes);
  if (block == NULL) {
    return 1;
  }
  memset(block, 1, bytes);
  if (spillway_version == NULL) {
    puts("without Spillway");
  } else {
    printf("with Spillway, which holds %s\n",
           spillway_held_bytes() >= bytes ? "the block" : "nothing");
  }
  free(block);
}
