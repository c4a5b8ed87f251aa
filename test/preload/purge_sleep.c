// The thread that gives memory back sleeps, without waking up, once all of it is gone; it works
// again for what is freed later. For a short SPILLWAY_PURGE_DELAY.
#include "family.h"
#include "process.h"
#include "tasks.h"

enum { kBlocks = 64, kSize = 512 * 1024 };

static long switches(long task) {
  static const char kName[] = "\nvoluntary_ctxt_switches:";
  char text[4096];
  read_task_file(task, "status", text, sizeof text);
  const char* line = strstr(text, kName);
  CHECK(line != NULL);
  return atol(line + sizeof kName - 1);
}

int main(void) {
  static void* blocks[kBlocks];
  const size_t before = resident_bytes();
  long task = 0;
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < kBlocks; i++) {
      blocks[i] = malloc(kSize);
      CHECK(blocks[i] != NULL);
      stamp(blocks[i], kSize, 1);
    }
    for (int i = 0; i < kBlocks; i++) free(blocks[i]);
    // The directory's list is a block of the pool, too.
    if (task == 0) task = purge_task();
    CHECK(task != 0);
    const size_t little = before + (size_t)kBlocks * kSize / 10;
    WAIT_UNTIL(resident_bytes() <= little);
    // Half a second without waking up.
    long seen;
    WAIT_UNTIL((seen = switches(task), usleep(500000), switches(task) == seen));
  }
  return 0;
}
