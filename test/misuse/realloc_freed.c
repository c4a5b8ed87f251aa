// realloc of a freed block. Its result is not used.
#include "misuse.h"

int main(void) {
  void* p = malloc(16384);
  expect("double", p, 0, 16384);
  free(p);
  opaque(realloc(opaque(p), 50000));
  return survived();
}
