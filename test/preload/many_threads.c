// SPDX-License-Identifier: MIT
// Caches cost bytes per process, not per thread: 300 living threads have each used and freed 4 MiB
// of 64 KiB blocks, one after the other; the process may keep a share of that sum, not all of it.
// The argument is the bound in MiB.
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "family.h"
#include "process.h"

enum { kThreads = 300, kBlocks = 64, kBlockSize = 65536 };

static atomic_int turn, leave;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;

static void wait_for(atomic_int* value, int at_least) {
  pthread_mutex_lock(&lock);
  while (atomic_load(value) < at_least) pthread_cond_wait(&moved, &lock);
  pthread_mutex_unlock(&lock);
}

static void advance(atomic_int* value) {
  pthread_mutex_lock(&lock);
  atomic_fetch_add(value, 1);
  pthread_cond_broadcast(&moved);
  pthread_mutex_unlock(&lock);
}

static void churn(uint64_t owner) {
  void* blocks[kBlocks];
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < kBlocks; i++) {
      blocks[i] = malloc(kBlockSize);
      CHECK(blocks[i] != NULL);
      stamp(blocks[i], kBlockSize, owner);
    }
    for (int i = 0; i < kBlocks; i++) {
      CHECK(is_stamped(blocks[i], kBlockSize, owner));
      free(blocks[i]);
    }
  }
}

static void* run(void* argument) {
  int index = (int)(intptr_t)argument;
  wait_for(&turn, index);
  churn((uint64_t)index + 1);
  advance(&turn);
  wait_for(&leave, 1);
  return NULL;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  size_t bound = strtoul(argv[1], NULL, 10) << 20;
  pthread_attr_t small_stack;
  pthread_attr_init(&small_stack);
  pthread_attr_setstacksize(&small_stack, PTHREAD_STACK_MIN + 65536);
  static pthread_t threads[kThreads];
  size_t before = resident_bytes();
  for (intptr_t i = 0; i < kThreads; i++)
    CHECK(pthread_create(&threads[i], &small_stack, run, (void*)i) == 0);
  wait_for(&turn, kThreads);
  size_t after = resident_bytes();
  write_number(1, (after - before) >> 20);
  write_text(1, " MiB kept\n");
  CHECK_COMPARE(after, <, before + bound);
  advance(&leave);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  return 0;
}
