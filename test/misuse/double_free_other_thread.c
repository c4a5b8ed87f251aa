// Freed by one thread, then by another.
#include <pthread.h>

#include "misuse.h"

static void* free_it(void* p) {
  free(p);
  return NULL;
}

int main(void) {
  void* p = malloc(16384);
  expect("double", p, 0, 16384);
  free(p);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, free_it, opaque(p)) == 0);
  pthread_join(thread, NULL);
  return survived();
}
