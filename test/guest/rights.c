// SPDX-License-Identifier: MIT
// A process that gives up root's rights leaves no thread behind that still has them, and the next
// one has those of the process. For a long SPILLWAY_PURGE_DELAY.
#include <grp.h>

#include "burst.h"

enum { kNobody = 65534 };

int main(void) {
  if (geteuid() != 0) SKIP("only root can give up root's rights");
  burst(16);
  awaited_purge_task();
  CHECK(setgroups(0, NULL) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
        setresuid(kNobody, kNobody, kNobody) == 0);
  WAIT_UNTIL(purge_task() == 0);
  char text[4096];
  long task = 0;
  const double start = seconds_now();
  while (task == 0 && seconds_now() - start < kHangSeconds) {
    burst(16);
    task = purge_task();
    usleep(50000);
  }
  CHECK(task != 0);
  read_task_file(task, "status", text, sizeof text);
  CHECK(strstr(text, "Uid:\t65534\t65534\t65534\t65534\n") != NULL);
  usleep(600000);
  CHECK(purge_task() == task);
  return 0;
}
