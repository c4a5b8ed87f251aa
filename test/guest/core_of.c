// SPDX-License-Identifier: MIT
// A process of some 100 MiB: prints the addresses of blocks of all kinds that hold a text, and
// waits.
#include <stdio.h>

#include "burst.h"

int main(void) {
  static const size_t kKinds[] = {100, 5000, 100000, 1 << 20, 3 << 20, 70 << 20};
  for (int i = 0; i < 200; i++) memset(malloc(100000), i, 100000);
  for (int i = 0; i < 10; i++) memset(malloc(3 << 20), i, 3 << 20);
  for (size_t i = 0; i < sizeof kKinds / sizeof *kKinds; i++) {
    char* block = malloc(kKinds[i]);
    CHECK(block != NULL);
    strcpy(block, "a block of the program's");
    printf("%p ", (void*)block);
  }
  printf("\n");
  fflush(stdout);
  return getchar();
}
