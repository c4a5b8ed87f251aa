// SPDX-License-Identifier: MIT
// A program of one thread whose signal handler forks, at times while it interrupts a fork: that
// goes on, as it does without the library, whose thread waits meanwhile for free memory to age. For
// a long SPILLWAY_PURGE_DELAY.
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "burst.h"

enum { kForks = 300 };

static atomic_int forks_in_handler;

static void fork_once(void) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) _exit(0);
  while (waitpid(child, NULL, 0) < 0) {
  }
}

static void on_alarm(int number) {
  (void)number;
  atomic_fetch_add(&forks_in_handler, 1);
  fork_once();
}

int main(void) {
  burst(16);
  awaited_purge_task();
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  const pid_t self = getpid();
  const pid_t neighbour = fork();
  CHECK(neighbour >= 0);
  if (neighbour == 0) {
    while (getppid() == self) {
      kill(self, SIGALRM);
      usleep(500);
    }
    _exit(0);
  }
  while (atomic_load(&forks_in_handler) < kForks) fork_once();
  kill(neighbour, SIGKILL);
  return 0;
}
