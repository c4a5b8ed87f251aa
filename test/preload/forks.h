// SPDX-License-Identifier: MIT
// Forks of a process whose threads are busy with malloc: what the threads do, and the children,
// counted by how they end. A child that hangs is killed by its alarm.
#ifndef SPILLWAY_TEST_PRELOAD_FORKS_H_
#define SPILLWAY_TEST_PRELOAD_FORKS_H_

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/wait.h>

#include "family.h"

enum { kMaxLive = 24, kMaxBusyThreads = 16, kForksAtOnce = 10, kMaxHung = 3 };

// How blocks are replaced at random.
struct Churn {
  int live;  // blocks, at most kMaxLive
  size_t (*size)(uint64_t* random);
  int drained_every;  // all are freed now and then, in steps; 0: never
};

static atomic_int stop_churning;

// So many steps; 0: until stop_churning.
static inline void churn(const struct Churn* how, uint64_t seed, int steps) {
  void* blocks[kMaxLive] = {NULL};
  size_t sizes[kMaxLive];
  uint64_t random = seed;
  CHECK(how->live <= kMaxLive);
  for (int step = 0; steps == 0 ? !atomic_load(&stop_churning) : step < steps; step++) {
    unsigned i = (unsigned)(next_random(&random) % (unsigned)how->live);
    if (blocks[i] != NULL) {
      CHECK(is_stamped(blocks[i], sizes[i], seed));
      free(blocks[i]);
    }
    sizes[i] = how->size(&random);
    blocks[i] = malloc(sizes[i]);
    CHECK(blocks[i] != NULL);
    put_word(blocks[i], 0);
    stamp(blocks[i], sizes[i], seed);
    if (how->drained_every != 0 && step % how->drained_every == how->drained_every - 1)
      for (int j = 0; j < how->live; j++) {
        free(blocks[j]);
        blocks[j] = NULL;
      }
  }
  for (int i = 0; i < how->live; i++) free(blocks[i]);
}

struct BusyThreads {
  pthread_t threads[kMaxBusyThreads];
  int count;
};

static inline void start_busy(struct BusyThreads* busy, int count, void* (*run)(void* seed)) {
  CHECK(count <= kMaxBusyThreads);
  busy->count = count;
  for (int i = 0; i < count; i++)
    CHECK(pthread_create(&busy->threads[i], NULL, run, (void*)(uintptr_t)(i + 1)) == 0);
}

static inline void end_busy(struct BusyThreads* busy) {
  atomic_store(&stop_churning, 1);
  for (int i = 0; i < busy->count; i++) pthread_join(busy->threads[i], NULL);
}

struct Ends {
  int hung;  // no more are forked after kMaxHung
  int died;
};

// Forks so many children, some at once; each calls `child` with its number, which does not return.
static inline struct Ends fork_children(int count, void (*child)(int number)) {
  struct Ends ends = {0, 0};
  for (int done = 0; done < count && ends.hung < kMaxHung; done += kForksAtOnce) {
    pid_t children[kForksAtOnce];
    for (int i = 0; i < kForksAtOnce; i++) {
      children[i] = fork();
      CHECK(children[i] >= 0);
      if (children[i] == 0) child(done + i);
    }
    for (int i = 0; i < kForksAtOnce; i++) {
      int status;
      CHECK(waitpid(children[i], &status, 0) == children[i]);
      if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        ends.hung++;
      } else if (status != 0) {
        ends.died++;
      }
    }
  }
  return ends;
}

#endif  // SPILLWAY_TEST_PRELOAD_FORKS_H_
