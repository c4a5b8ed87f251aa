// The old address is freed after realloc moved the block.
#include "misuse.h"

int main(void) {
  void* p = malloc(16384);
  void* moved = realloc(p, 700000);
  CHECK(moved != NULL && moved != p);
  expect("double", p, 0, 16384);
  free(opaque(p));
  return survived();
}
