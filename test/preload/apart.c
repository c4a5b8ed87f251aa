// Tells whether two plain blocks of the sizes argv[1] and argv[2] lie in different classes of the
// arena: those are a span apart, hundreds of MiB, while the fallback puts neighbours together.
// Prints "apart" or "together" and, as a second word, "secure" when the process runs with
// AT_SECURE.
#include <sys/auxv.h>

#include "family.h"

int main(int argc, char** argv) {
  CHECK(argc == 3);
  char* a = malloc(strtoul(argv[1], NULL, 10));
  char* b = malloc(strtoul(argv[2], NULL, 10));
  CHECK(a != NULL && b != NULL);
  size_t distance =
      (uintptr_t)a < (uintptr_t)b ? (uintptr_t)b - (uintptr_t)a : (uintptr_t)a - (uintptr_t)b;
  write_text(1, distance >= (size_t)128 << 20 ? "apart" : "together");
  write_text(1, getauxval(AT_SECURE) != 0 ? " secure\n" : "\n");
  free(a);
  free(b);
  return 0;
}
