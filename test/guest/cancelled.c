// SPDX-License-Identifier: MIT
// malloc and its family are no cancellation points: a thread whose cancellation is pending ends at
// pthread_testcancel() and nowhere before, with limits that have files read and threads that purge.
#include <pthread.h>

#include "burst.h"

enum { kBlocks = 2000 };

static volatile int reached;

static void* run(void* nothing) {
  static void* blocks[kBlocks];
  CHECK(pthread_cancel(pthread_self()) == 0);
  for (int i = 0; i < kBlocks; i++) {
    blocks[i] = malloc((size_t)(i % 60) * 3000);
    if (blocks[i] != NULL) memset(blocks[i], 1, 1);
  }
  reached = 1;
  for (int i = 0; i < kBlocks; i++) blocks[i] = realloc(blocks[i], (size_t)(i % 40) * 7000 + 1);
  reached = 2;
  for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  malloc_trim(0);
  (void)mallinfo2();
  reached = 3;
  free((char*)malloc(1 << 16) + 64);  // misuse, with a line on stderr
  reached = 4;
  pthread_testcancel();
  reached = 5;
  return nothing;
}

int main(void) {
  pthread_t thread;
  void* result = NULL;
  CHECK(pthread_create(&thread, NULL, run, NULL) == 0);
  CHECK(pthread_join(thread, &result) == 0);
  CHECK_COMPARE(reached, ==, 4);
  CHECK(result == PTHREAD_CANCELED);
  return 0;
}
