// SPDX-License-Identifier: MIT
// The library's thread has the processors, the policy and the nice value that the process began
// with, and no signal, whatever the thread is like that happens to start it. For a long
// SPILLWAY_PURGE_DELAY.
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "burst.h"

struct Like {
  int policy;
  int priority;
  int nice;
  cpu_set_t processors;
};

static struct Like like_of(pid_t task) {
  struct Like like = {0};
  struct sched_param parameter;
  like.policy = sched_getscheduler(task);
  CHECK(sched_getparam(task, &parameter) == 0);
  like.priority = parameter.sched_priority;
  like.nice = getpriority(PRIO_PROCESS, (id_t)task);
  CHECK(sched_getaffinity(task, sizeof like.processors, &like.processors) == 0);
  return like;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  const int policy = atoi(argv[1]);
  const struct Like before = like_of(0);
  int last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &before.processors)) last--;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
  const struct sched_param parameter = {policy == SCHED_FIFO || policy == SCHED_RR ? 5 : 0};
  if (sched_setscheduler(0, policy, &parameter) != 0) SKIP("no such policy for this user");
  if (policy == SCHED_OTHER) CHECK(setpriority(PRIO_PROCESS, 0, before.nice + 1) == 0);
  sigset_t none;
  sigemptyset(&none);
  CHECK(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
  burst(16);
  const long task = awaited_purge_task();
  // It has started, and comes to rest with what it made of itself.
  char text[4096];
  WAIT_UNTIL((read_task_file(task, "status", text, sizeof text),
              strstr(text, "State:\tS") != NULL && CPU_COUNT(&one) == 1));
  const struct Like like = like_of((pid_t)task);
  CHECK_COMPARE(like.policy, ==, SCHED_OTHER);
  CHECK_COMPARE(like.priority, ==, 0);
  if (geteuid() == 0) CHECK_COMPARE(like.nice, ==, before.nice);
  CHECK(CPU_EQUAL(&like.processors, &before.processors));
  const char* blocked = strstr(text, "SigBlk:\t");
  CHECK(blocked != NULL);
  // All but SIGKILL and SIGSTOP, which the kernel keeps out.
  CHECK(strncmp(blocked + strlen("SigBlk:\t"), "fffffffffffbfeff", 16) == 0);
  return 0;
}
