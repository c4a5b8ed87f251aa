// SPDX-License-Identifier: MIT
// A process that locks its memory, mlockall(MCL_CURRENT | MCL_FUTURE): blocks keep their contents,
// calloc gives zeros, free memory may stay or go, and what is locked is in proportion to what was
// asked for. argv[1]: the most MiB that the process may have.
#include <sys/mman.h>
#include <sys/resource.h>

#include "family.h"
#include "process.h"

enum { kBlocks = 128, kLarge = 8 };

static const size_t kMiB = (size_t)1 << 20;

int main(int argc, char** argv) {
  CHECK(argc == 2);
  const size_t most = strtoul(argv[1], NULL, 10) * kMiB;
  free(malloc(100000));
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) SKIP("memory cannot be locked here");
  CHECK_COMPARE(resident_bytes(), <=, most);
  static void* blocks[kBlocks];
  static size_t sizes[kBlocks];
  uint64_t random = 11;
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < kBlocks; i++) {
      sizes[i] = i < kLarge ? (2 + (size_t)i) * kMiB : random_size(&random, 12, 19);
      blocks[i] = i % 2 == 0 ? malloc(sizes[i]) : calloc(1, sizes[i]);
      CHECK(blocks[i] != NULL);
      if (i % 2 != 0) CHECK(all_zero(blocks[i], sizes[i]));
      stamp(blocks[i], sizes[i], (uint64_t)i);
    }
    // A growing block, and one that shrinks.
    char* growing = NULL;
    for (size_t size = 5000; size < 4 * kMiB; size += size / 2) {
      growing = realloc(growing, size);
      CHECK(growing != NULL);
      growing[size - 1] = 1;
    }
    growing = realloc(growing, 10000);
    CHECK(growing != NULL);
    free(growing);
    CHECK_COMPARE(resident_bytes(), <=, most);
    for (int i = 0; i < kBlocks; i++) CHECK(is_stamped(blocks[i], sizes[i], (uint64_t)i));
    for (int i = round % 2; i < kBlocks; i += 2) free(blocks[i]);
    const int trimmed = malloc_trim(0);
    CHECK(trimmed == 0 || trimmed == 1);
    if (round > 1) usleep(300000);  // the purge thread's turn
    for (int i = 1 - round % 2; i < kBlocks; i += 2) {
      CHECK(is_stamped(blocks[i], sizes[i], (uint64_t)i));
      free(blocks[i]);
    }
  }
  return 0;
}
