// SPDX-License-Identifier: MIT
// Two threads churn pooled sizes while a 5 kHz timer interrupts each with a handler that allocates
// and frees pooled sizes too and keeps some blocks. Every block is stamped; an overlap shows when
// it is verified before it is freed. A thread goes on until it was interrupted often enough.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>

#include "family.h"
#include "notify_thread.h"
#include "process.h"

enum {
  kThreads = 2,
  kKept = 16,
  kLive = 48,
  kInterrupts = 8000,
  kSteps = 8000,
  kIntervalNs = 200000
};

struct Held {
  void* block;
  size_t size;
  uint64_t owner;
};

struct Side {
  struct Held held[kLive];
  uint64_t random, owner;
};

static __thread struct Side main_side __attribute__((tls_model("initial-exec")));
static __thread struct Side handler_side __attribute__((tls_model("initial-exec")));
static __thread volatile int own_interrupts __attribute__((tls_model("initial-exec")));
static atomic_ulong interrupts, steps;

static void replace(struct Side* side, unsigned slots) {
  struct Held* held = &side->held[next_random(&side->random) % slots];
  if (held->block != NULL) {
    CHECK(is_stamped(held->block, held->size, held->owner));
    free(held->block);
  }
  held->size = random_size(&side->random, 12, 20);
  held->owner = ++side->owner;
  held->block = malloc(held->size);
  CHECK(held->block != NULL);
  stamp(held->block, held->size, held->owner);
}

static void drain(struct Side* side) {
  for (int i = 0; i < kLive; i++) {
    if (side->held[i].block == NULL) continue;
    CHECK(is_stamped(side->held[i].block, side->held[i].size, side->held[i].owner));
    free(side->held[i].block);
    side->held[i].block = NULL;
  }
}

static void on_tick(int signal_number) {
  (void)signal_number;
  int saved = errno;
  for (int i = 0; i < 6; i++) replace(&handler_side, kKept);
  own_interrupts++;
  errno = saved;
}

static void* churn(void* argument) {
  uint64_t index = (uint64_t)(uintptr_t)argument;
  main_side.random = 1234567 + index;
  main_side.owner = (index * 2 + 1) << 40;
  handler_side.random = 7654321 + index;
  handler_side.owner = (index * 2 + 2) << 40;

  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGUSR1;
  event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
  timer_t timer;
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  struct itimerspec every = {{0, kIntervalNs}, {0, kIntervalNs}};
  CHECK(timer_settime(timer, 0, &every, NULL) == 0);

  int own_steps = 0;
  const double start = seconds_now();
  while (own_interrupts < kInterrupts || own_steps < kSteps) {
    for (int i = 0; i < 64; i++, own_steps++) replace(&main_side, kLive);
    if (seconds_now() - start > kHangSeconds) break;
  }

  CHECK(timer_delete(timer) == 0);
  sigset_t tick;
  sigemptyset(&tick);
  sigaddset(&tick, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &tick, NULL);
  drain(&main_side);
  drain(&handler_side);
  atomic_fetch_add(&interrupts, (unsigned long)own_interrupts);
  atomic_fetch_add(&steps, (unsigned long)own_steps);
  return NULL;
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_tick;
  action.sa_flags = SA_RESTART;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  pthread_t threads[kThreads];
  for (uintptr_t i = 0; i < kThreads; i++)
    CHECK(pthread_create(&threads[i], NULL, churn, (void*)i) == 0);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  write_number(1, atomic_load(&interrupts));
  write_text(1, " interrupts, ");
  write_number(1, atomic_load(&steps));
  write_text(1, " steps\n");
  CHECK_COMPARE(atomic_load(&interrupts), >=, kThreads * kInterrupts);
  CHECK_COMPARE(atomic_load(&steps), >=, kThreads * kSteps);
  return 0;
}
