// SPDX-License-Identifier: MIT
// The options limit and hard_limit. argv[1]: what to do; argv[2]: the limit in MiB.
//   hard       allocate until it is reached: ENOMEM, nothing lost, and all is well after freeing
//   large      the same above 1 MiB, by realloc, too, to blocks that no slot is long enough for
//   threads    several threads at the limit
//   soft       the callback, once for each crossing, and the statistics
//   half       allocate until it is reached, which is when half of it is used at the earliest,
//              although small blocks, which mimalloc reserves more for, came first
//   most       allocate until it is reached, which may be earlier
//   aligned    small blocks at pages of their own, until it is reached
//   fits       a megabyte can be allocated
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#include "family.h"
#include "process.h"
#define SPILLWAY_WEAK
#include "spillway/spillway.h"

enum { kMax = 2048 };

static const size_t kMiB = (size_t)1 << 20;
// What the process has beside its blocks, and what a refill takes at a time.
static const size_t kTolerance = (size_t)24 << 20;
static size_t limit, before;
static char* blocks[kMax];

// Written, until there is no more; how many. On a busy machine the thread that gives memory back
// may stand in the way of a request that would do it, which then fails early: so many bytes at
// least can be had by asking again.
static int fill_up(size_t size, uint64_t owner, size_t least) {
  for (int count = 0; count < kMax; count++) {
    errno = 0;
    blocks[count] = malloc(size);
    if (blocks[count] == NULL) {
      CHECK_COMPARE(errno, ==, ENOMEM);
      if ((size_t)count * size >= least) return count;
      WAIT_UNTIL((blocks[count] = malloc(size)) != NULL);
    }
    stamp(blocks[count], size, owner);
    CHECK_COMPARE(resident_bytes(), <=, before + limit + kTolerance);
  }
  check_failed("the limit was never reached\n");
}

static void empty(int count, size_t size, uint64_t owner) {
  for (int i = 0; i < count; i++) {
    CHECK(is_stamped(blocks[i], size, owner));
    free(blocks[i]);
  }
}

static uint64_t statistic(const char* name) {
  static char text[65536];
  char key[80];
  int file = memfd_create("statistics", MFD_CLOEXEC);
  CHECK(file >= 0);
  CHECK(spillway_write_statistics(file, "prometheus") == 0);
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  CHECK(length > 0);
  text[length] = '\0';
  close(file);
  snprintf(key, sizeof key, "\nspillway_%s{", name);
  const char* at = strstr(text, key);
  CHECK(at != NULL);
  at = strstr(at, "} ");
  CHECK(at != NULL);
  return strtoull(at + 2, NULL, 10);
}

static void check_hard(void) {
  const uint64_t refused = statistic("hard_limit_refusals_total");
  for (int round = 0; round < 3; round++) {
    const size_t size = kMiB >> round;
    // Most of it can really be had.
    const int count = fill_up(size, 1, limit / 10 * 7);
    CHECK_COMPARE((size_t)count * size, <=, limit);
    // No other call gets such a block either, and a realloc that fails leaves the block.
    CHECK_NO_MEMORY(calloc(1, 8 * kMiB));
    CHECK_NO_MEMORY(aligned_alloc(65536, 8 * kMiB));
    CHECK_NO_MEMORY(realloc(blocks[0], 8 * kMiB));
    CHECK_NO_MEMORY(realloc(blocks[1], size + 8 * kMiB));
    void* none = &none;
    errno = 4711;
    CHECK_COMPARE(posix_memalign(&none, 4096, 8 * kMiB), ==, ENOMEM);
    CHECK(errno == 4711 && none == &none);
    // What is small or there already is still served.
    void* small = malloc(100);
    CHECK(small != NULL);
    free(small);
    CHECK(realloc(blocks[2], size) == blocks[2]);
    empty(count, size, 1);
  }
  CHECK_COMPARE(statistic("hard_limit_refusals_total"), >=, refused + 3 * 6);
}

static void check_large(void) {
  const size_t size = 10 * kMiB;
  int count = fill_up(size, 2, limit / 10 * 7);
  empty(count, size, 2);

  // A block that grows in steps, each written before the next.
  size_t now = kMiB;
  char* block = malloc(now);
  CHECK(block != NULL);
  stamp(block, now, 3);
  for (;;) {
    CHECK_COMPARE(now, <=, limit);
    errno = 0;
    char* grown = realloc(block, now + 7 * kMiB);
    // It may have to be there twice to get longer.
    if (grown == NULL && now >= limit / 4) break;
    if (grown == NULL) WAIT_UNTIL((grown = realloc(block, now + 7 * kMiB)) != NULL);
    // Addresses are part of the pattern.
    block = grown;
    now += 7 * kMiB;
    stamp(block, now, 3);
    CHECK_COMPARE(resident_bytes(), <=, before + limit + kTolerance);
  }
  CHECK_COMPARE(errno, ==, ENOMEM);
  CHECK(is_stamped(block, now, 3));
  free(block);

  WAIT_UNTIL((block = malloc(limit / 2)) != NULL);
  stamp(block, limit / 2, 4);
  CHECK_NO_MEMORY(realloc(block, 2 * limit));
  CHECK(is_stamped(block, limit / 2, 4));
  free(block);
  CHECK_NO_MEMORY(malloc(limit + kMiB));
  CHECK_NO_MEMORY(calloc(limit / kMiB + 1, kMiB));
  CHECK((block = malloc(limit / 2)) != NULL);
  free(block);
}

enum { kThreads = 4, kOwn = 512 };
static pthread_barrier_t all_full;

static void* take_share(void* argument) {
  const uint64_t owner = (uint64_t)(uintptr_t)argument;
  char* own[kOwn];
  for (int round = 0; round < 4; round++) {
    uint64_t random = owner + 10 * (uint64_t)round;
    size_t sizes[kOwn];
    int count = 0;
    for (; count < kOwn; count++) {
      sizes[count] = random_size(&random, 17, 20);
      if ((own[count] = malloc(sizes[count])) == NULL) break;
      stamp(own[count], sizes[count], owner);
    }
    CHECK(count < kOwn);
    pthread_barrier_wait(&all_full);
    CHECK_COMPARE(resident_bytes(), <=, before + limit + kThreads * kTolerance);
    for (int i = 0; i < count; i++) {
      CHECK(is_stamped(own[i], sizes[i], owner));
      free(own[i]);
    }
    pthread_barrier_wait(&all_full);
    char* again;
    WAIT_UNTIL((again = malloc(3 * kMiB)) != NULL);
    free(again);
    pthread_barrier_wait(&all_full);
  }
  return NULL;
}

static void check_threads(void) {
  pthread_t threads[kThreads];
  pthread_barrier_init(&all_full, NULL, kThreads);
  for (uintptr_t i = 0; i < kThreads; i++)
    CHECK(pthread_create(&threads[i], NULL, take_share, (void*)(i + 1)) == 0);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
}

static int calls;
static uint64_t told_held, told_limit;

static void tell(uint64_t held, uint64_t soft) {
  calls++;
  told_held = held;
  told_limit = soft;
  // Nothing is locked.
  void* block = malloc(50000);
  CHECK(block != NULL);
  free(block);
  errno = 99;
}

static void check_soft(void) {
  CHECK(spillway_on_limit != NULL && spillway_held_bytes != NULL);
  spillway_on_limit(tell);
  const int count = (int)(limit / kMiB) * 3 / 2;
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < count; i++) {
      errno = 4711;
      blocks[i] = malloc(kMiB);
      CHECK(blocks[i] != NULL && errno == 4711);
      stamp(blocks[i], kMiB, 1);
      if ((size_t)i * kMiB < limit / 2) CHECK_COMPARE(calls, ==, round);
    }
    CHECK_COMPARE(calls, ==, round + 1);
    CHECK_COMPARE(told_limit, ==, limit);
    // With what was asked for it would be more than the limit.
    CHECK_COMPARE(told_held + kMiB, >, limit);
    CHECK_COMPARE(spillway_held_bytes(), >, limit);
    CHECK_COMPARE(statistic("limit_crossed_total"), ==, round + 1);
    empty(count, kMiB, 1);
    // What is free goes back as soon as anybody asks for more; at most every 20 ms, it says.
    usleep(50000);
    free(malloc(2 * kMiB));
    CHECK_COMPARE(resident_bytes(), <=, before + limit);
  }
  spillway_on_limit(NULL);
  for (int i = 0; i < count; i++) CHECK((blocks[i] = malloc(kMiB)) != NULL);
  CHECK_COMPARE(calls, ==, 3);
  for (int i = 0; i < count; i++) free(blocks[i]);
  CHECK_COMPARE(statistic("hard_limit_refusals_total"), ==, 0);
}

static void check_aligned(void) {
  const size_t page = 4096;
  void* last = NULL;
  size_t pages = 0;
  for (void* block; (block = aligned_alloc(page, 100)) != NULL; pages++) {
    CHECK_COMPARE(pages * page, <=, limit);
    CHECK(aligned_to(block, page));
    *(void**)block = last;
    last = block;
  }
  CHECK_COMPARE(errno, ==, ENOMEM);
  while (last != NULL) {
    void* next = *(void**)last;
    free(last);
    last = next;
  }
  free(malloc(kMiB));
}

int main(int argc, char** argv) {
  CHECK(argc == 3);
  CHECK(spillway_write_statistics != NULL);
  limit = strtoul(argv[2], NULL, 10) * kMiB;
  before = resident_bytes();
  if (strcmp(argv[1], "hard") == 0) check_hard();
  if (strcmp(argv[1], "large") == 0) check_large();
  if (strcmp(argv[1], "threads") == 0) check_threads();
  if (strcmp(argv[1], "soft") == 0) check_soft();
  if (strcmp(argv[1], "aligned") == 0) check_aligned();
  if (strcmp(argv[1], "half") == 0) {
    void* small = malloc(100);
    CHECK(small != NULL);
    for (int round = 0; round < 2; round++) {
      const int count = fill_up(100000, 1, limit / 2);
      empty(count, 100000, 1);
      CHECK(malloc_trim(0) == 1);  // also makes mimalloc add up what it holds
    }
    free(small);
  }
  if (strcmp(argv[1], "most") == 0) {
    const int count = fill_up(kMiB, 1, 2 * kMiB);
    empty(count, kMiB, 1);
  }
  if (strcmp(argv[1], "fits") == 0) {
    CHECK((blocks[0] = malloc(kMiB)) != NULL);
    free(blocks[0]);
  }
  return 0;
}
