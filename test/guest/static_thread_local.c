// SPDX-License-Identifier: MIT
// A program with so much static thread-local data that small stacks have no room for it: the
// library's thread works all the same.
#include "burst.h"

static __thread volatile char much[THREAD_LOCAL_BYTES];

int main(void) {
  much[0] = 1;
  const size_t before = resident_bytes();
  burst(64);
  WAIT_UNTIL(resident_bytes() < before + ((size_t)8 << 20));
  return 0;
}
