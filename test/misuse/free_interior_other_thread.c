// SPDX-License-Identifier: MIT
// free of an address inside a block that another thread made.
#include <pthread.h>

#include "misuse.h"

static void* free_it(void* p) {
  free(p);
  return NULL;
}

int main(void) {
  char* p = malloc(131072);
  expect("interior", p + 4096, 4096, 131072);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, free_it, opaque(p + 4096)) == 0);
  pthread_join(thread, NULL);
  return survived();
}
