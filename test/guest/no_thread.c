// SPDX-License-Identifier: MIT
// With SPILLWAY_PURGE_THREAD=0 the threads that allocate give memory back, even if their caches
// serve all of their calls.
#include "burst.h"

int main(void) {
  const size_t before = resident_bytes();
  burst_of(200000, 80);
  CHECK(purge_task() == 0);
  const double start = seconds_now();
  while (resident_bytes() > before + ((size_t)12 << 20)) {
    CHECK(seconds_now() - start < kHangSeconds);
    for (int i = 0; i < 100; i++) {
      void* blocks[4];
      for (int k = 0; k < 4; k++) {
        blocks[k] = malloc((size_t)(30000 + k * 9000));
        memset(blocks[k], 1, 100);
      }
      for (int k = 0; k < 4; k++) free(blocks[k]);
    }
    usleep(1000);
  }
  return 0;
}
