// SPDX-License-Identifier: MIT
// A process that has as many mappings as the kernel allows: what needs another one fails with
// ENOMEM or is served otherwise, nothing crashes, contents stay right, and when there is room
// again all works again. argv[1] "early": the pool has not grown before; "late": it has, and frees
// and purges meanwhile.
#include <sys/mman.h>

#include "family.h"
#include "process.h"

enum { kBlocks = 300, kMaxMappings = 1 << 20 };

static void* blocks[kBlocks];
static size_t sizes[kBlocks];
static uint64_t random_state = 23;

// How many of the requests were served.
static int allocate_all(void) {
  int served = 0;
  for (int i = 0; i < kBlocks; i++) {
    sizes[i] = random_size(&random_state, 5, i % 16 == 0 ? 23 : 20);
    errno = 0;
    blocks[i] = i % 3 == 0 ? calloc(1, sizes[i]) : malloc(sizes[i]);
    if (blocks[i] == NULL) {
      CHECK_COMPARE(errno, ==, ENOMEM);
      continue;
    }
    served++;
    if (i % 3 == 0) CHECK(all_zero(blocks[i], sizes[i]));
    stamp(blocks[i], sizes[i], (uint64_t)i);
  }
  return served;
}

static void grow_some(void) {
  for (int i = 0; i < kBlocks; i += 5) {
    if (blocks[i] == NULL) continue;
    errno = 0;
    void* grown = realloc(blocks[i], sizes[i] * 2);
    if (grown == NULL) {
      CHECK_COMPARE(errno, ==, ENOMEM);
      CHECK(is_stamped(blocks[i], sizes[i], (uint64_t)i));
      continue;
    }
    blocks[i] = grown;
    sizes[i] *= 2;
    stamp(grown, sizes[i], (uint64_t)i);
  }
}

static void free_all(void) {
  for (int i = 0; i < kBlocks; i++) {
    CHECK(blocks[i] == NULL || is_stamped(blocks[i], sizes[i], (uint64_t)i));
    free(blocks[i]);
    blocks[i] = NULL;
  }
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  alarm(kHangSeconds);
  if (strcmp(argv[1], "late") == 0) {
    CHECK_COMPARE(allocate_all(), ==, kBlocks);
    free_all();
  }
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char* pages = mmap(NULL, kMaxMappings * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED);
  size_t made = 0;
  // Each second page readable: a mapping of its own, and so is what is left beside it.
  while (made < kMaxMappings / 2 && mprotect(pages + 2 * made * page, page, PROT_READ) == 0) made++;
  if (made == kMaxMappings / 2) SKIP("the kernel allows more mappings than this test makes");
  CHECK(errno == ENOMEM);
  for (int round = 0; round < 3; round++) {
    allocate_all();
    grow_some();
    free_all();
    malloc_trim(0);
    usleep(100000);  // the purge thread's turn
  }
  CHECK(munmap(pages, kMaxMappings * page) == 0);
  for (int round = 0; round < 2; round++) {
    CHECK_COMPARE(allocate_all(), ==, kBlocks);
    grow_some();
    free_all();
  }
  return 0;
}
