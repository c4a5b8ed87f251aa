// SPDX-License-Identifier: MIT
// Freed by one thread, then by another.
#include <pthread.h>

#include "misuse.h"

static void* free_it(void* p) {
  free(p);
  return NULL;
}

int main(void) {
  void* p = malloc(SIZE);
  expect("double", p, 0, SIZE);
  free(p);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, free_it, opaque(p)) == 0);
  pthread_join(thread, NULL);
  return survived();
}
