// SPDX-License-Identifier: MIT
#include <spillway/spillway.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  char* block = malloc(1 << 16);
  int ours = block != NULL && spillway_version() >= 100 && spillway_held_bytes() >= 1 << 16;
  free(block);
  puts(ours ? "with" : "without");
  return 0;
}
