// SPDX-License-Identifier: MIT
// The thread that gives memory back ends once all of it is gone, and another one does the work for
// what is freed later. Parts of pages beside blocks in use do not keep it. For a short
// SPILLWAY_PURGE_DELAY.
#include "family.h"
#include "process.h"
#include "tasks.h"

enum { kBlocks = 64, kSize = 512 * 1024, kOdd = 200, kOddSize = 4608 };

// Blocks that share pages; every other one stays.
static void leave_parts_of_pages(void) {
  static void* blocks[kOdd];
  for (int i = 0; i < kOdd; i++) {
    blocks[i] = malloc(kOddSize);
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], kOddSize, 1);
  }
  for (int i = 0; i < kOdd; i += 2) free(blocks[i]);
}

int main(void) {
  static void* blocks[kBlocks];
  leave_parts_of_pages();
  const size_t before = resident_bytes();
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < kBlocks; i++) {
      blocks[i] = malloc(kSize);
      CHECK(blocks[i] != NULL);
      stamp(blocks[i], kSize, 1);
    }
    CHECK(purge_task() == 0);  // nothing is free
    for (int i = 0; i < kBlocks; i++) free(blocks[i]);
    const size_t little = before + (size_t)kBlocks * kSize / 10;
    WAIT_UNTIL(resident_bytes() <= little);
    WAIT_UNTIL(purge_task() == 0);
  }
  return 0;
}
