// SPDX-License-Identifier: MIT
// The number of mappings stays where it is while blocks of all sizes are replaced at random,
// memory goes back, and threads come and go. argv[1]: how many replacements.
#include <pthread.h>

#include "family.h"
#include "process.h"

enum { kLive = 400, kTolerance = 2 };

static char* blocks[kLive];
static size_t sizes[kLive];
static uint64_t random_state = 17;

static void replace(int times) {
  for (int done = 0; done < times; done++) {
    unsigned i = (unsigned)(next_random(&random_state) % kLive);
    if (blocks[i] != NULL) {
      CHECK(is_stamped(blocks[i], sizes[i], i));
      free(blocks[i]);
    }
    unsigned top = next_random(&random_state) % 256 == 0 ? 24 : 20;
    sizes[i] = random_size(&random_state, 12, top);
    blocks[i] = malloc(sizes[i]);
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], sizes[i], i);
    if (done % 16 == 0) {
      blocks[i] = realloc(blocks[i], sizes[i] + sizes[i] / 2);
      CHECK(blocks[i] != NULL);
      sizes[i] += sizes[i] / 2;
      stamp(blocks[i], sizes[i], i);
    }
  }
}

static void* use_and_end(void* unused) {
  for (int i = 0; i < 20; i++) free(malloc(5000 + (size_t)i * 9000));
  return unused;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  const int times = atoi(argv[1]);
  // As much of each size as there will be, and all there is at the start of a process.
  for (int i = 0; i < 3; i++) {
    replace(times / 2);
    CHECK(malloc_trim(0) == 1);
  }
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, use_and_end, NULL) == 0);
  pthread_join(thread, NULL);
  const size_t before = mapping_count();
  for (int part = 0; part < 10; part++) {
    replace(times / 10);
    if (part % 3 == 2) malloc_trim(0);
    if (part % 3 == 1) usleep(150000);  // the purge thread's turn
    CHECK(pthread_create(&thread, NULL, use_and_end, NULL) == 0);
    pthread_join(thread, NULL);
    CHECK_COMPARE(mapping_count(), <=, before + kTolerance);
  }
  CHECK_COMPARE(mapping_count() + kTolerance, >=, before);
  return 0;
}
