// SPDX-License-Identifier: MIT
// The thread that gives memory back takes no signals, whichever thread started it: one sent to the
// process waits for the program, or is handled in the program's own threads. What the C library
// sends to all threads (setuid) still gets through.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "family.h"
#include "process.h"
#include "tasks.h"

enum { kBlocks = 32, kSize = 512 * 1024, kSignals = 200 };

static atomic_int handled, handled_elsewhere;
static atomic_long purger;

static void handle(int signal) {
  (void)signal;
  if (syscall(SYS_gettid) == atomic_load(&purger)) atomic_fetch_add(&handled_elsewhere, 1);
  atomic_fetch_add(&handled, 1);
}

static void* wait_for_end(void* end) {
  while (!atomic_load((atomic_int*)end)) usleep(1000);
  return NULL;
}

// A word of the kernel's account of a thread's signals.
static uint64_t signal_set(long task, const char* name) {
  char text[4096];
  read_task_file(task, "status", text, sizeof text);
  const char* line = strstr(text, name);
  CHECK(line != NULL);
  return strtoull(line + strlen(name), NULL, 16);
}

int main(void) {
  alarm(kHangSeconds);
  for (int round = 0; round < 4; round++) {
    void* blocks[kBlocks];
    for (int i = 0; i < kBlocks; i++) {
      blocks[i] = malloc(kSize);
      CHECK(blocks[i] != NULL);
      stamp(blocks[i], kSize, 1);
    }
    for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  }
  atomic_store(&purger, awaited_purge_task());

  const int kTaken[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,  SIGPIPE,
                        SIGTERM, SIGCHLD, SIGALRM, SIGPROF, SIGRTMIN, SIGRTMAX};
  const uint64_t blocked = signal_set(atomic_load(&purger), "SigBlk:");
  for (size_t i = 0; i < sizeof kTaken / sizeof kTaken[0]; i++)
    CHECK(blocked >> (kTaken[i] - 1) & 1);
  CHECK(signal_set(getpid(), "SigBlk:") == 0);

  // Blocked in the program's only thread: it waits there. Taken anywhere else, it would kill.
  sigset_t usr1, before;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  CHECK(pthread_sigmask(SIG_BLOCK, &usr1, &before) == 0);
  CHECK(kill(getpid(), SIGUSR1) == 0);
  const struct timespec patience = {kHangSeconds, 0};
  CHECK(sigtimedwait(&usr1, NULL, &patience) == SIGUSR1);
  CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);

  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  atomic_int end = 0;
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, wait_for_end, &end) == 0);
  for (int i = 0; i < kSignals; i++) {
    const int so_far = atomic_load(&handled);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    while (atomic_load(&handled) == so_far) sched_yield();
    CHECK_COMPARE(atomic_load(&handled), ==, so_far + 1);
  }
  CHECK_COMPARE(atomic_load(&handled_elsewhere), ==, 0);

  CHECK(setresuid(getuid(), geteuid(), (uid_t)-1) == 0);
  atomic_store(&end, 1);
  pthread_join(thread, NULL);
  CHECK(purge_task() == atomic_load(&purger));
  return 0;
}
