// SPDX-License-Identifier: MIT
// Calls that the kernel grants to processes of one thread only succeed while the library's thread
// waits for free memory to age. For a long SPILLWAY_PURGE_DELAY.
#include <errno.h>
#include <sched.h>
#include <sys/wait.h>

#include "burst.h"

int main(void) {
  // Whether it is granted at all, by a child without such a thread.
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  if (status != 0) SKIP("no user namespaces here");
  burst(16);
  awaited_purge_task();
  errno = 0;
  CHECK(unshare(CLONE_NEWUSER) == 0);
  CHECK(errno == 0);
  CHECK(unshare(-1) == -1 && errno == EINVAL);
  CHECK(setns(-1, 0) == -1 && errno == EBADF);
  burst(16);
  return 0;
}
