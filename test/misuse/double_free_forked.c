// SPDX-License-Identifier: MIT
// A block that the parent freed is freed by its child; the parent dies the way the child died.
#include <signal.h>
#include <sys/wait.h>

#include "misuse.h"

int main(void) {
  void* p = malloc(SIZE);
  expect("double", p, 0, SIZE);
  free(p);
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    free(opaque(p));
    _exit(0);
  }
  int status;
  CHECK(waitpid(pid, &status, 0) == pid);
  if (WIFSIGNALED(status)) kill(getpid(), WTERMSIG(status));
  return survived();
}
