// SPDX-License-Identifier: MIT
// Signals that allocate while a thread makes its very first blocks: thousands of threads, each
// interrupted by a timer of its own that starts at a time which moves over the first microseconds
// of the thread's life. More threads if by then no signal has come before a first block.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>

#include "family.h"
#include "notify_thread.h"

enum { kThreads = 4000, kKept = 8, kBlocks = 4, kStepNs = 150, kSteps = 100, kIntervalNs = 20000 };

static atomic_ulong handled, early;
static __thread struct {
  void* block;
  size_t size;
} kept[kKept] __attribute__((tls_model("initial-exec")));
static __thread volatile int kept_count __attribute__((tls_model("initial-exec")));
static __thread int timer __attribute__((tls_model("initial-exec")));
static __thread volatile int done __attribute__((tls_model("initial-exec")));

// Both in ns; a start of 0 stops the timer.
static void set_timer(long start, long interval) {
  struct itimerspec when = {{0, interval}, {0, start}};
  CHECK(syscall(SYS_timer_settime, timer, 0, &when, NULL) == 0);
}

static void on_signal(int signal_number) {
  (void)signal_number;
  int index = kept_count;
  if (index == kKept) return;
  if (index + 1 == kKept) set_timer(0, 0);
  int saved = errno;
  size_t n = (size_t)4096 << (index % 5);
  void* p = malloc(n);
  CHECK(p != NULL);
  stamp(p, n, 100 + (uint64_t)index);
  free(malloc(n));
  kept[index].block = p;
  kept[index].size = n;
  kept_count = index + 1;
  atomic_fetch_add(&handled, 1);
  if (done == 0) atomic_fetch_add(&early, 1);
  errno = saved;
}

// The system call, because libc's timer_create may allocate.
static void make_timer(void) {
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGUSR1;
  event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
  CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0);
}

static void* run(void* argument) {
  void* blocks[kBlocks];
  make_timer();
  set_timer(1 + (long)(intptr_t)argument % kSteps * kStepNs, kIntervalNs);
  for (int i = 0; i < kBlocks; i++) {
    blocks[i] = malloc((size_t)4096 << i);
    CHECK(blocks[i] != NULL);
    if (i == 0) done = 1;
    stamp(blocks[i], (size_t)4096 << i, (uint64_t)i);
  }
  for (int i = 0; i < kBlocks; i++) {
    CHECK(is_stamped(blocks[i], (size_t)4096 << i, (uint64_t)i));
    free(blocks[i]);
  }
  while (kept_count < kKept) {
  }
  CHECK(syscall(SYS_timer_delete, timer) == 0);
  for (int i = 0; i < kKept; i++) {
    CHECK(is_stamped(kept[i].block, kept[i].size, 100 + (uint64_t)i));
    free(kept[i].block);
  }
  return NULL;
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  alarm(kHangSeconds);
  intptr_t threads = 0;
  for (; threads < kThreads || atomic_load(&early) == 0; threads++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run, (void*)threads) == 0);
    pthread_join(thread, NULL);
  }
  write_number(1, atomic_load(&early));
  write_text(1, " signals before the first block was made\n");
  CHECK_COMPARE(atomic_load(&handled), ==, threads * kKept);
  return 0;
}
