// SPDX-License-Identifier: MIT
// A block from calloc, freed twice; SIZE is also its class.
#include "misuse.h"

int main(void) {
  void* p = calloc(SIZE / 16, 16);
  expect("double", p, 0, SIZE);
  free(p);
  free(opaque(p));
  return survived();
}
