// SPDX-License-Identifier: MIT
// 10 000 short threads leave nothing behind: resident memory and the number of mappings stay where
// the first thousand left them. Each thread frees some of its blocks, hands one over and frees one
// of another thread.
#include <pthread.h>
#include <stdatomic.h>

#include "family.h"
#include "process.h"

enum { kThreads = 10000, kWarm = 1000, kAtOnce = 8, kBlocks = 12 };

struct Handed {
  size_t size;
  uint64_t owner;
};

static _Atomic(struct Handed*) handed[64];

static void take(struct Handed* block) {
  if (block == NULL) return;
  CHECK(is_stamped((char*)block + sizeof *block, block->size, block->owner));
  free(block);
}

static void* run(void* argument) {
  uint64_t owner = (uint64_t)(uintptr_t)argument;
  uint64_t random = owner * 77 + 1;
  void* blocks[kBlocks];
  size_t sizes[kBlocks];
  for (int i = 0; i < kBlocks; i++) {
    sizes[i] = random_size(&random, i % 4 == 0 ? 5 : 12, i % 4 == 0 ? 12 : 19);
    blocks[i] = malloc(sizes[i]);
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], sizes[i], owner);
  }
  struct Handed* gift = malloc(sizeof *gift + 40000);
  gift->size = 40000;
  gift->owner = owner;
  stamp((char*)gift + sizeof *gift, gift->size, owner);
  take(atomic_exchange(&handed[owner % 64], gift));
  for (int i = 0; i < kBlocks; i++) {
    CHECK(is_stamped(blocks[i], sizes[i], owner));
    free(blocks[i]);
  }
  return NULL;
}

static void run_threads(uintptr_t from, uintptr_t to) {
  pthread_t threads[kAtOnce];
  for (uintptr_t i = from; i < to; i += kAtOnce) {
    for (uintptr_t t = 0; t < kAtOnce; t++)
      CHECK(pthread_create(&threads[t], NULL, run, (void*)(i + t + 1)) == 0);
    for (int t = 0; t < kAtOnce; t++) pthread_join(threads[t], NULL);
  }
}

int main(void) {
  run_threads(0, kWarm);
  size_t resident = resident_bytes(), mappings = mapping_count();
  run_threads(kWarm, kThreads);
  CHECK_COMPARE(resident_bytes(), <, resident + (24 << 20));
  CHECK_COMPARE(mapping_count(), <, mappings + 200);
  for (int i = 0; i < 64; i++) take(atomic_exchange(&handed[i], NULL));
  return 0;
}
