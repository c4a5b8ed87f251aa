// SPDX-License-Identifier: MIT
// Tells whether plain blocks of the sizes argv[1] and argv[2] come from the arena, which lies far
// from mimalloc's blocks. Prints "apart" or "together" and, as a second word, "secure" when the
// process runs with AT_SECURE.
#include <sys/auxv.h>

#include "family.h"

static int are_apart(const char* a, const char* b) {
  size_t distance =
      (uintptr_t)a < (uintptr_t)b ? (uintptr_t)b - (uintptr_t)a : (uintptr_t)a - (uintptr_t)b;
  return distance >= (size_t)1 << 30;
}

int main(int argc, char** argv) {
  CHECK(argc == 3);
  char* a = malloc(strtoul(argv[1], NULL, 10));
  char* b = malloc(strtoul(argv[2], NULL, 10));
  char* of_mimalloc = malloc(100);
  CHECK(a != NULL && b != NULL && of_mimalloc != NULL);
  const int apart = are_apart(a, of_mimalloc);
  CHECK(are_apart(b, of_mimalloc) == apart);
  write_text(1, apart ? "apart" : "together");
  write_text(1, getauxval(AT_SECURE) != 0 ? " secure\n" : "\n");
  free(a);
  free(b);
  free(of_mimalloc);
  return 0;
}
