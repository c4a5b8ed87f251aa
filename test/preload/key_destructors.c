// SPDX-License-Identifier: MIT
// Destructors of pthread keys that allocate, free and arm themselves again in all
// PTHREAD_DESTRUCTOR_ITERATIONS rounds, in keys made before and after the heap made its own; libc
// frees its own per-thread memory after the last of them.
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <stdatomic.h>

#include "family.h"

enum { kKeys = 64, kThreads = 64, kBlocks = 6 };

struct Life {
  int rounds;
  int key;
  uint64_t owner;
  void* blocks[kBlocks];
};

static const size_t kBlockSizes[kBlocks] = {64, 4096, 16384, 100000, 700000, 1500000};
static pthread_key_t keys[kKeys];
static atomic_int rounds_run;
static atomic_ullong owners;
// Blocks that the last round leaves behind, for the main thread to verify and free.
static _Atomic(struct Life*) left_behind[kThreads * kKeys];

static void make(struct Life* life) {
  life->owner = atomic_fetch_add(&owners, 1) + 1;
  for (int i = 0; i < kBlocks; i++) {
    life->blocks[i] = malloc(kBlockSizes[i]);
    CHECK(life->blocks[i] != NULL);
    stamp(life->blocks[i], kBlockSizes[i], life->owner);
  }
}

static void discard(struct Life* life) {
  for (int i = 0; i < kBlocks; i++) {
    CHECK(is_stamped(life->blocks[i], kBlockSizes[i], life->owner));
    free(life->blocks[i]);
  }
}

static void at_thread_exit(void* value) {
  struct Life* life = value;
  discard(life);
  make(life);
  life->rounds++;
  atomic_fetch_add(&rounds_run, 1);
  if (life->rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
    CHECK(pthread_setspecific(keys[life->key % kKeys], life) == 0);
  } else {
    atomic_store(&left_behind[life->key], life);
  }
}

static void* run(void* argument) {
  int index = (int)(intptr_t)argument;
  for (int k = 0; k < kKeys; k++) {
    if ((k + index) % 8 != 0) continue;
    struct Life* life = calloc(1, sizeof *life);
    life->key = index * kKeys + k;
    make(life);
    CHECK(pthread_setspecific(keys[k], life) == 0);
  }
  // libc keeps this text per thread and frees it after the keys' destructors.
  CHECK(strerror(100000 + index) != NULL);
  return NULL;
}

int main(void) {
  for (int k = 0; k < kKeys / 2; k++) CHECK(pthread_key_create(&keys[k], at_thread_exit) == 0);
  free(malloc(16384));
  for (int k = kKeys / 2; k < kKeys; k++) CHECK(pthread_key_create(&keys[k], at_thread_exit) == 0);
  pthread_t threads[8];
  for (int i = 0; i < kThreads; i += 8) {
    for (int t = 0; t < 8; t++)
      CHECK(pthread_create(&threads[t], NULL, run, (void*)(intptr_t)(i + t)) == 0);
    for (int t = 0; t < 8; t++) pthread_join(threads[t], NULL);
  }
  int left = 0;
  for (int i = 0; i < kThreads * kKeys; i++) {
    struct Life* life = atomic_load(&left_behind[i]);
    if (life == NULL) continue;
    left++;
    discard(life);
    free(life);
  }
  CHECK_COMPARE(left, ==, kThreads * kKeys / 8);
  CHECK_COMPARE(atomic_load(&rounds_run), ==, left * PTHREAD_DESTRUCTOR_ITERATIONS);
  return 0;
}
