// SPDX-License-Identifier: MIT
// The library's thread has no descriptor of the program's, and takes no number of it for the files
// that it reads. For a long SPILLWAY_PURGE_DELAY and SPILLWAY_PRESSURE=100.
#include "burst.h"

enum { kRounds = 300 };

int main(void) {
  burst(16);
  const long task = awaited_purge_task();
  const int least = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(least >= 0);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%ld/fd/%d", task, least);
  WAIT_UNTIL(access(path, F_OK) != 0);
  // POSIX: the lowest number that is free. The thread reads files a few times a second.
  for (int round = 0; round < kRounds; round++) {
    close(least);
    usleep(2000);
    CHECK_COMPARE(open("/dev/null", O_RDONLY | O_CLOEXEC), ==, least);
  }
  CHECK(purge_task() == task);
  return 0;
}
