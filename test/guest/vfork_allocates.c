// SPDX-License-Identifier: MIT
// A child of vfork() uses its parent's memory: what it allocates and frees leaves no trace in the
// parent, whose free memory goes back afterwards.
#include <sys/wait.h>

#include "burst.h"

int main(void) {
  const size_t before = resident_bytes();
  for (int round = 0; round < 3; round++) {
    const pid_t child = vfork();
    CHECK(child >= 0);
    if (child == 0) {
      burst(16);
      _exit(0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_COMPARE(status, ==, 0);
    burst(100);
    WAIT_UNTIL(resident_bytes() < before + ((size_t)16 << 20));
  }
  return 0;
}
