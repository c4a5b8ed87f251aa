// SPDX-License-Identifier: MIT
// Two threads free one block at the same time, again and again: caught at the latest when the
// second copy goes back. Both threads end in each round, so that nothing stays in their caches.
#include <pthread.h>

#include "misuse.h"

static pthread_barrier_t both;

static void* free_it(void* p) {
  pthread_barrier_wait(&both);
  free(p);
  return NULL;
}

int main(void) {
  void* p = malloc(16384);
  expect("double", p, 0, 16384);
  for (int round = 0; round < 200; round++) {
    pthread_barrier_init(&both, NULL, 2);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, free_it, opaque(p)) == 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  }
  return survived();
}
