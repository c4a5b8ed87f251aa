// SPDX-License-Identifier: MIT
// A little of everything, for each policy of huge pages: contents stay right, zeroed memory is
// zero, and free memory can go back. With SPILLWAY_THP=auto a heap that is used throughout asks the
// kernel for huge pages, with never it does not.
#include <stdio.h>

#include "family.h"
#include "process.h"

enum { kBlocks = 600, kDense = 400, kDenseSize = 1 << 19 };

// Whether the mapping that an address is in asks for huge pages; -1: the kernel does not say.
static int asks_for_huge_pages(const void* address) {
  FILE* smaps = fopen("/proc/self/smaps", "r");
  if (smaps == NULL) return -1;
  static char line[8192];
  int answer = -1;
  for (int inside = 0; answer < 0 && fgets(line, sizeof line, smaps) != NULL;) {
    uintptr_t start, end;
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
      inside = start <= (uintptr_t)address && (uintptr_t)address < end;
    else if (inside && strncmp(line, "VmFlags:", 8) == 0)
      answer = strstr(line, " hg") != NULL;
  }
  fclose(smaps);
  return answer;
}

// 200 MiB, written.
static void check_policy(const char* policy) {
  static void* blocks[kDense];
  for (int i = 0; i < kDense; i++) {
    CHECK((blocks[i] = malloc(kDenseSize)) != NULL);
    memset(blocks[i], 1, kDenseSize);
  }
  const int asks = asks_for_huge_pages(blocks[kDense - 1]);
  if (asks >= 0) CHECK_COMPARE(asks, ==, strcmp(policy, "never") != 0);
  for (int i = 0; i < kDense; i++) free(blocks[i]);
}

int main(void) {
  static void* blocks[kBlocks];
  static size_t sizes[kBlocks];
  uint64_t random = 3;
  const size_t before = resident_bytes();
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < kBlocks; i++) {
      sizes[i] = random_size(&random, 12, i % 50 == 0 ? 23 : 20);
      blocks[i] = i % 2 == 0 ? malloc(sizes[i]) : calloc(1, sizes[i]);
      CHECK(blocks[i] != NULL);
      if (i % 2 != 0) CHECK(all_zero(blocks[i], sizes[i]));
      stamp(blocks[i], sizes[i], (uint64_t)i);
    }
    for (int i = 0; i < kBlocks; i += 3) {
      const size_t size = random_size(&random, 12, 20);
      void* block = realloc(blocks[i], size);
      CHECK(block != NULL);
      stamp(block, size, (uint64_t)i);
      blocks[i] = block;
      sizes[i] = size;
    }
    for (int i = 0; i < kBlocks; i++) {
      CHECK(is_stamped(blocks[i], sizes[i], (uint64_t)i));
      free(blocks[i]);
    }
    const size_t peak = resident_bytes();
    CHECK_COMPARE(malloc_trim(0), ==, 1);
    CHECK_COMPARE(resident_bytes() - before, <=, (peak - before) / 4);
  }
  check_policy(getenv("SPILLWAY_THP"));
  return 0;
}
