// SPDX-License-Identifier: MIT
// Threads that allocate and free all the time, each of which checks what its blocks hold, until
// standard input ends. Prints "working", and in the end the number of blocks.
#include <pthread.h>
#include <stdio.h>

#include "family.h"

enum { kThreads = 3, kBlocks = 32 };

static int ends;

static void *work(void *argument) {
  uint64_t state = (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15 + 1;
  struct {
    unsigned char *bytes;
    size_t size;
    uint64_t stamp;
  } blocks[kBlocks] = {0};
  uint64_t count = 0;
  while (!__atomic_load_n(&ends, __ATOMIC_RELAXED)) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const int i = (int)(state >> 40) % kBlocks;
    if (blocks[i].bytes != NULL) {
      CHECK(is_stamped(blocks[i].bytes, blocks[i].size, blocks[i].stamp));
      free(blocks[i].bytes);
    }
    const int is_small = (state >> 20) % 4 == 0;
    blocks[i].size = is_small ? 16 + (state >> 33) % 4000 : 4096 + (state >> 33) % 60000;
    blocks[i].stamp = count++;
    CHECK((blocks[i].bytes = malloc(blocks[i].size)) != NULL);
    stamp(blocks[i].bytes, blocks[i].size, blocks[i].stamp);
  }
  for (int i = 0; i < kBlocks; i++) {
    if (blocks[i].bytes == NULL) continue;
    CHECK(is_stamped(blocks[i].bytes, blocks[i].size, blocks[i].stamp));
    free(blocks[i].bytes);
  }
  return (void *)(uintptr_t)count;
}

int main(void) {
  pthread_t threads[kThreads];
  for (uintptr_t i = 0; i < kThreads; i++)
    CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
  CHECK(write(STDOUT_FILENO, "working\n", 8) == 8);
  char byte;
  CHECK(read(STDIN_FILENO, &byte, 1) == 0);
  __atomic_store_n(&ends, 1, __ATOMIC_RELAXED);
  uint64_t sum = 0;
  for (int i = 0; i < kThreads; i++) {
    void *count;
    CHECK(pthread_join(threads[i], &count) == 0);
    sum += (uintptr_t)count;
  }
  printf("%lu\n", (unsigned long)sum);
  return 0;
}
