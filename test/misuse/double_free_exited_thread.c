// SPDX-License-Identifier: MIT
// The second free comes when the thread that freed first has exited.
#include <pthread.h>

#include "misuse.h"

static void* make_and_free(void* out) {
  void* p = malloc(SIZE);
  *(void**)out = opaque(p);
  free(p);
  return NULL;
}

int main(void) {
  void* p = NULL;
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, make_and_free, &p) == 0);
  pthread_join(thread, NULL);
  expect("double", p, 0, SIZE);
  free(opaque(p));
  return survived();
}
