// SPDX-License-Identifier: MIT
// A thread that only frees gives its blocks back from its first free on: a producer makes 16 GiB of
// 16 and 256 KiB blocks, a consumer that never allocates frees them, and the process stays small.
#include <pthread.h>
#include <stdatomic.h>

#include "family.h"
#include "process.h"

enum { kQueue = 64 };

static _Atomic(void*) queue[kQueue];
static const size_t kTotal = (size_t)16 << 30;
static size_t blocks_total, block_size;

static void* consume(void* argument) {
  (void)argument;
  for (size_t i = 0; i < blocks_total; i++) {
    void* p;
    while ((p = atomic_exchange(&queue[i % kQueue], NULL)) == NULL) sched_yield();
    CHECK(is_stamped(p, block_size, i));
    free(p);
  }
  return NULL;
}

static void produce(void) {
  for (size_t i = 0; i < blocks_total; i++) {
    void* p = malloc(block_size);
    CHECK(p != NULL);
    stamp(p, block_size, i);
    while (atomic_load(&queue[i % kQueue]) != NULL) sched_yield();
    atomic_store(&queue[i % kQueue], p);
  }
}

static void pass(size_t size, size_t total) {
  block_size = size;
  blocks_total = total / size;
  pthread_t consumer;
  CHECK(pthread_create(&consumer, NULL, consume, NULL) == 0);
  produce();
  pthread_join(consumer, NULL);
}

int main(void) {
  pass(16384, kTotal / 2);
  CHECK_COMPARE(resident_bytes(), <, 96 << 20);
  pass(262144, kTotal / 2);
  CHECK_COMPARE(resident_bytes(), <, 192 << 20);
  return 0;
}
