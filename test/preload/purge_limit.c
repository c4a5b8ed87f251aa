// SPDX-License-Identifier: MIT
// A process at its limit of threads, where the one that gives memory back cannot start: it goes on,
// and its own threads give memory back while they allocate. The limit does not hold for root, so
// root becomes another user first.
#include <pthread.h>
#include <sys/resource.h>

#include "family.h"
#include "process.h"
#include "tasks.h"

enum { kBlocks = 128, kSize = 512 * 1024 };

static void* nothing(void* unused) { return unused; }

static int has_no_thread_left(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, nothing, NULL) != 0) return 1;
  pthread_join(thread, NULL);
  return 0;
}

// Above 1 MiB: no cache serves those, and what a cache serves is no occasion.
static void allocate_a_little(void) {
  void* few[8];
  for (int i = 0; i < 8; i++) CHECK((few[i] = malloc(1500000)) != NULL);
  for (int i = 0; i < 8; i++) free(few[i]);
}

int main(void) {
  const uid_t kNobody = 65534;
  const struct rlimit one = {1, 1};
  if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) SKIP("cannot stop being root");
  if (setrlimit(RLIMIT_NPROC, &one) != 0 || !has_no_thread_left())
    SKIP("the limit of threads does not hold here");
  // Becoming another user took nothing from the pool yet.
  CHECK(purge_task() == 0);
  static void* blocks[kBlocks];
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < kBlocks; i++) {
      blocks[i] = malloc(kSize + (size_t)round * 100000);
      CHECK(blocks[i] != NULL);
      stamp(blocks[i], kSize, (uint64_t)i);
    }
    for (int i = 0; i < kBlocks; i++) {
      CHECK(is_stamped(blocks[i], kSize, (uint64_t)i));
      if (round < 2) free(blocks[i]);
    }
  }
  CHECK(purge_task() == 0);
  const size_t peak = resident_bytes();
  for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  WAIT_UNTIL((allocate_a_little(), resident_bytes() <= peak / 4));
  return 0;
}
