// SPDX-License-Identifier: MIT
// free of an address OFFSET bytes inside a live block.
#include "misuse.h"

int main(void) {
  char* p = malloc(16384);
  expect("interior", p + OFFSET, OFFSET, 16384);
  free(opaque(p + OFFSET));
  return survived();
}
