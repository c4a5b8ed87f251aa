// SPDX-License-Identifier: MIT
// What becomes of free memory in a process that does nothing any more. argv[1], who had the memory:
//   blocks   the main thread, in blocks of all sizes that it freed
//   caches   8 threads that allocated fast and then fell asleep, in their caches
//   late     threads that free a block each and end, after nothing had happened for long
// argv[2], what must happen to it without any further call: it goes, it stays, or it stays until
// malloc_trim ("trims").
#include <pthread.h>
#include <stdatomic.h>

#include "family.h"
#include "process.h"

enum { kMax = 4096, kThreads = 8, kHeld = 48, kBursts = 2000, kWatched = 2 };

static const size_t kMiB = (size_t)1 << 20;
static size_t before, peak;

static void sleep_ms(long ms) {
  struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

// Of what the process took since it began, in per cent of the peak.
static unsigned share_left(void) {
  size_t now = resident_bytes();
  return now <= before ? 0 : (unsigned)((now - before) * 100 / (peak - before));
}

static void note_peak(size_t expected) {
  peak = resident_bytes();
  CHECK_COMPARE(peak - before, >=, expected);
}

// --- blocks

static void* blocks[kMax];

static void use_blocks(void) {
  uint64_t random = 7;
  size_t total = 0;
  int count = 0;
  for (int large = 0; large < 4; large++) {
    size_t size = (5 + next_random(&random) % 21) * kMiB + 100;
    blocks[count] = malloc(size);
    CHECK(blocks[count] != NULL);
    stamp(blocks[count++], size, 1);
  }
  while (total < 200 * kMiB && count < kMax) {
    size_t size = random_size(&random, 12, 20);
    blocks[count] = malloc(size);
    CHECK(blocks[count] != NULL);
    stamp(blocks[count++], size, 1);
    total += size;
  }
  note_peak(200 * kMiB);
  for (int i = 0; i < count; i++) free(blocks[i]);
}

// --- caches

static atomic_int filled;

static void* fill_cache(void* unused) {
  void* own[64];
  static const size_t kSize[] = {40000, 100000, 200000};
  (void)unused;
  // Untouched, in bursts: what a bin may hold grows with its misses.
  for (int burst = 0; burst < kBursts; burst++)
    for (int kind = 0; kind < 3; kind++) {
      for (int i = 0; i < 64; i++) own[i] = malloc(kSize[kind]);
      for (int i = 0; i < 64; i++) free(own[i]);
    }
  for (int kind = 0; kind < 3; kind++) {
    for (int i = 0; i < 64; i++) {
      own[i] = malloc(kSize[kind]);
      CHECK(own[i] != NULL);
      stamp(own[i], kSize[kind], 1);
    }
    for (int i = 0; i < 64; i++) free(own[i]);
  }
  atomic_fetch_add(&filled, 1);
  for (;;) pause();
}

static void use_caches(void) {
  pthread_t thread;
  for (int i = 0; i < kThreads; i++) CHECK(pthread_create(&thread, NULL, fill_cache, NULL) == 0);
  while (atomic_load(&filled) < kThreads) sleep_ms(1);
  note_peak(8 * kMiB);
}

// --- late

static pthread_barrier_t barrier;

static void* hold(void* unused) {
  (void)unused;
  void* block = malloc(kMiB);
  CHECK(block != NULL);
  stamp(block, kMiB, 1);
  pthread_barrier_wait(&barrier);  // all have one
  pthread_barrier_wait(&barrier);  // now
  free(block);
  return NULL;
}

static void use_late(void) {
  pthread_t threads[kHeld];
  pthread_barrier_init(&barrier, NULL, kHeld + 1);
  for (int i = 0; i < kHeld; i++) CHECK(pthread_create(&threads[i], NULL, hold, NULL) == 0);
  pthread_barrier_wait(&barrier);
  note_peak(kHeld * kMiB);
  sleep_ms(3000);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < kHeld; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char** argv) {
  CHECK(argc == 3);
  before = resident_bytes();
  if (strcmp(argv[1], "blocks") == 0) use_blocks();
  if (strcmp(argv[1], "caches") == 0) use_caches();
  if (strcmp(argv[1], "late") == 0) use_late();
  CHECK(peak != 0);
  if (strcmp(argv[2], "goes") == 0) {
    WAIT_UNTIL(share_left() < 10);
    return 0;
  }
  sleep_ms(1000 * kWatched);  // by then it would be gone
  CHECK_COMPARE(share_left(), >=, 75);
  if (strcmp(argv[2], "trims") == 0) {
    CHECK_COMPARE(malloc_trim(0), ==, 1);
    CHECK_COMPARE(share_left(), <, 10);
  }
  return 0;
}
