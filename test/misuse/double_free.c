// SPDX-License-Identifier: MIT
// free twice in a row; SIZE is also its class.
#include "misuse.h"

int main(void) {
  void* p = malloc(SIZE);
  expect("double", p, 0, SIZE);
  free(p);
  free(opaque(p));
  return survived();
}
