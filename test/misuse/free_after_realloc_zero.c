// SPDX-License-Identifier: MIT
// realloc(p, 0) frees; so a free after it is the second one.
#include "misuse.h"

int main(void) {
  void* p = malloc(SIZE);
  CHECK(realloc(p, opaque_size(0)) == NULL);
  expect("double", p, 0, SIZE);
  free(opaque(p));
  return survived();
}
