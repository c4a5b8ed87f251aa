// SPDX-License-Identifier: MIT
// free of an address inside an aligned block.
#include "misuse.h"

int main(void) {
  char* p = memalign(16384, 16384);
  expect("interior", p + 8192, 8192, 16384);
  free(opaque(p + 8192));
  return survived();
}
