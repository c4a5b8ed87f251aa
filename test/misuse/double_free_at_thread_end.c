// SPDX-License-Identifier: MIT
// The second free runs in the destructor of a pthread key, after the thread's cache may have been
// given back.
#include <limits.h>
#include <pthread.h>

#include "misuse.h"

static pthread_key_t key;
static int rounds;

static void at_thread_exit(void* p) {
  if (++rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
    pthread_setspecific(key, p);
    return;
  }
  expect("double", p, 0, SIZE);
  free(opaque(p));
}

static void* run(void* unused) {
  (void)unused;
  void* p = malloc(SIZE);
  pthread_setspecific(key, opaque(p));
  free(p);
  return NULL;
}

int main(void) {
  CHECK(pthread_key_create(&key, at_thread_exit) == 0);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, run, NULL) == 0);
  pthread_join(thread, NULL);
  return survived();
}
