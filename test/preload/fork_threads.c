// SPDX-License-Identifier: MIT
// What a forked child gets: it can start threads of its own, fork again, and is not left without
// the blocks that lay in the caches of its parent's other threads, generation after generation.
#include <pthread.h>
#include <sys/wait.h>

#include "family.h"
#include "process.h"

enum { kGenerations = 30, kThreads = 4, kBlocks = 32, kBlockSize = 65536 };

static void* use(void* argument) {
  uint64_t owner = (uint64_t)(uintptr_t)argument;
  void* blocks[kBlocks];
  for (int i = 0; i < kBlocks; i++) {
    blocks[i] = malloc(kBlockSize);
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], kBlockSize, owner + (uint64_t)i);
  }
  for (int i = 0; i < kBlocks; i++) {
    CHECK(is_stamped(blocks[i], kBlockSize, owner + (uint64_t)i));
    free(blocks[i]);
  }
  return NULL;
}

static pthread_barrier_t all_used, all_leave;

static void* use_and_stay(void* argument) {
  use(argument);
  pthread_barrier_wait(&all_used);
  pthread_barrier_wait(&all_leave);
  return NULL;
}

// Each generation has threads with full caches when it forks the next one.
static int generation(int left) {
  pthread_t threads[kThreads];
  pthread_barrier_init(&all_used, NULL, kThreads + 1);
  pthread_barrier_init(&all_leave, NULL, kThreads + 1);
  for (uintptr_t t = 0; t < kThreads; t++)
    CHECK(pthread_create(&threads[t], NULL, use_and_stay, (void*)(t * 1000 + 1)) == 0);
  pthread_barrier_wait(&all_used);
  size_t resident = resident_bytes();
  if (left > 0) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      alarm(kHangSeconds);
      _exit(generation(left - 1));
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_COMPARE(status, ==, 0);
  }
  pthread_barrier_wait(&all_leave);
  for (int t = 0; t < kThreads; t++) pthread_join(threads[t], NULL);
  // Lost caches would add kThreads * kBlocks * kBlockSize = 8 MiB in each generation.
  CHECK_COMPARE(resident, <, 128 << 20);
  return 0;
}

int main(void) { return generation(kGenerations); }
