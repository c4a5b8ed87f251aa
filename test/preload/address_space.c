// SPDX-License-Identifier: MIT
// A small program for tight address-space limits: it goes through all sizes, and takes NULL for an
// answer. Exit status 0: everything was served; 3: some request got NULL with ENOMEM, which is
// allowed only where the limit is tight.
#include "family.h"

int main(void) {
  int refused = 0;
  for (int round = 0; round < 3; round++) {
    void* blocks[kSizeCount];
    for (size_t i = 0; i < kSizeCount; i++) {
      size_t n = kSizes[i] + 8;
      errno = 0;
      blocks[i] = n > (2 << 20) ? NULL : malloc(n);
      if (blocks[i] == NULL) {
        if (n > (2 << 20)) continue;
        CHECK_COMPARE(errno, ==, ENOMEM);
        refused = 1;
        continue;
      }
      stamp(blocks[i], n, i);
    }
    for (size_t i = 0; i < kSizeCount; i++) {
      if (blocks[i] == NULL) continue;
      CHECK(is_stamped(blocks[i], kSizes[i] + 8, i));
      free(blocks[i]);
    }
  }
  return refused ? 3 : 0;
}
