// SPDX-License-Identifier: MIT
// realloc of a freed block. Its result is not used.
#include "misuse.h"

int main(void) {
  void* p = malloc(SIZE);
  expect("double", p, 0, SIZE);
  free(p);
  opaque(realloc(opaque(p), 50000));
  return survived();
}
