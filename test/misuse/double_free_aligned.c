// SPDX-License-Identifier: MIT
// An aligned block, freed twice.
#include "misuse.h"

int main(void) {
  void* p = memalign(65536, 40000);
  expect("double", p, 0, kAnyClass);
  free(p);
  free(opaque(p));
  return survived();
}
