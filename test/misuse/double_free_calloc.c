// A block from calloc, freed twice.
#include "misuse.h"

int main(void) {
  void* p = calloc(3, 10000);
  expect("double", p, 0, 30720);
  free(p);
  free(opaque(p));
  return survived();
}
