// SPDX-License-Identifier: MIT
// free of an address in the arena that is no block's: at PLACE 0 and 1 no block ever was, at 2 none
// was and none could start, at 3 one was freed but did not start.
#include "misuse.h"

int main(void) {
  char* p = malloc(100000);
  free(p);
  static const size_t kMiB = (size_t)1 << 20;
  char* const places[] = {p + 512 * kMiB, p + 1024 * kMiB + 4096, p + 512 * kMiB + 4097, p + 1};
  expect(PLACE == 3 ? "nowhere" : "never", places[PLACE], 0, kAnyClass);
  free(opaque(places[PLACE]));
  return survived();
}
