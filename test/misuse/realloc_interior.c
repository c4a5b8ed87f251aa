// SPDX-License-Identifier: MIT
// realloc of an address inside a block. Its result is not used.
#include "misuse.h"

int main(void) {
  char* p = malloc(16384);
  expect("interior", p + 64, 64, 16384);
  opaque(realloc(opaque(p + 64), 50000));
  return survived();
}
