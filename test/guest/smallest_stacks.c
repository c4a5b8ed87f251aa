// SPDX-License-Identifier: MIT
// Threads with the smallest stack there is.
#include <limits.h>
#include <pthread.h>

#include "burst.h"

static void* run(void* nothing) {
  static const size_t kAsked[] = {100, 5000, 65536, 1 << 20, 5 << 20};
  void* blocks[64];
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < 64; i++) {
      blocks[i] = malloc(kAsked[i % 5]);
      if (blocks[i] != NULL) *(char*)blocks[i] = 1;  // refused at a limit
    }
    for (int i = 0; i < 64; i++) free(blocks[i]);
  }
  return nothing;
}

int main(void) {
  pthread_attr_t attributes;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) == 0);
  for (int i = 0; i < 20; i++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, run, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
  }
  return 0;
}
