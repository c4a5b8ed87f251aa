// SPDX-License-Identifier: MIT
// The arena is full: under an address-space limit it is small, and what it has no room for is the
// mimalloc's. Every block is there once, keeps its contents, and can be freed from any order. argv:
// limit in MiB, then sizes.
#include <sys/resource.h>

#include "family.h"

static void check_size(size_t size, size_t total) {
  size_t count = total / size;
  void** blocks = calloc(count, sizeof *blocks);
  CHECK(blocks != NULL);
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < count; i++) {
      blocks[i] = malloc(size);
      CHECK(blocks[i] != NULL);
      stamp(blocks[i], size, i);
    }
    for (size_t i = 0; i < count; i += 3) {  // move some, from either side of the border
      blocks[i] = realloc(blocks[i], size + size / 2);
      CHECK(blocks[i] != NULL);
      blocks[i] = realloc(blocks[i], size);
      CHECK(blocks[i] != NULL);
      stamp(blocks[i], size, i);
    }
    for (size_t i = 0; i < count; i++) CHECK(is_stamped(blocks[i], size, i));
    uint64_t random = 5;
    for (size_t i = count; i > 1; i--) {
      size_t j = (size_t)(next_random(&random) % i);
      void* block = blocks[i - 1];
      blocks[i - 1] = blocks[j];
      blocks[j] = block;
    }
    for (size_t i = 0; i < count; i++) free(blocks[i]);
  }
  free(blocks);
}

int main(int argc, char** argv) {
  CHECK(argc >= 3);
  size_t limit = strtoul(argv[1], NULL, 10) << 20;
  if (getenv("CLASS_FULL_LIMITED") == NULL) {
    CHECK(setenv("CLASS_FULL_LIMITED", "1", 1) == 0);
    struct rlimit bound = {limit, limit};
    CHECK(setrlimit(RLIMIT_AS, &bound) == 0);
    execv("/proc/self/exe", argv);
    CHECK(!"execv failed");
  }
  // The arena has a quarter of the limit at most.
  for (int i = 2; i < argc; i++) check_size(strtoul(argv[i], NULL, 10), limit / 8 * 3);
  return 0;
}
