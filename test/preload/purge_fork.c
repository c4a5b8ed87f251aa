// SPDX-License-Identifier: MIT
// A process that has a thread which gives memory back forks 200 times, while 4 threads allocate and
// free. Children allocate, fork, exec or leave through exit; every 25th takes memory of its own,
// frees it and goes idle: the memory goes back there, too. Meant for a short SPILLWAY_PURGE_DELAY,
// so that purges and forks meet.
#include <stdio.h>

#include "forks.h"
#include "process.h"
#include "tasks.h"

enum { kThreads = 4, kForks = 200, kOwn = 96, kInheritedSize = 700000 };

static void* inherited;

static size_t purged_size(uint64_t* random) {
  return random_size(random, 12, next_random(random) % 16 == 0 ? 23 : 19);
}

// All free for a while, now and then: there must be something to purge.
static const struct Churn kPurged = {24, purged_size, 200};

static void* run(void* seed) {
  churn(&kPurged, (uint64_t)(uintptr_t)seed, 0);
  return NULL;
}

// The child's own purge thread is another one than its parent's.
static void grow_and_go_idle(void) {
  static void* blocks[kOwn];
  enum { kSize = 512 * 1024 };
  for (int i = 0; i < kOwn; i++) {
    blocks[i] = malloc(kSize);
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], kSize, 3);
  }
  size_t peak = resident_bytes();
  for (int i = 0; i < kOwn; i++) free(blocks[i]);
  const size_t expected = (size_t)kOwn * kSize * 9 / 10;
  WAIT_UNTIL(resident_bytes() + expected <= peak);
  _exit(0);
}

__attribute__((noreturn)) static void child(int number) {
  alarm(kHangSeconds);
  CHECK(is_stamped(inherited, kInheritedSize, 99));
  free(inherited);
  churn(&kPurged, 4242, 30);
  if (number % 25 == 0) grow_and_go_idle();
  if (number % 4 == 1) {
    pid_t grandchild = fork();
    CHECK(grandchild >= 0);
    if (grandchild == 0) {
      alarm(kHangSeconds);
      churn(&kPurged, 77, 30);
      _exit(0);
    }
    int status;
    CHECK(waitpid(grandchild, &status, 0) == grandchild);
    CHECK_COMPARE(status, ==, 0);
  }
  if (number % 4 == 2) {
    const char* self = "/proc/self/exe";
    execl(self, self, "leaf", (char*)NULL);
    CHECK(!"execl failed");
  }
  if (number % 4 == 3) exit(0);
  _exit(0);
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "leaf") == 0) {
    churn(&kPurged, 5, 30);
    return 0;
  }
  inherited = malloc(kInheritedSize);
  stamp(inherited, kInheritedSize, 99);
  struct BusyThreads busy;
  start_busy(&busy, kThreads, run);
  WAIT_UNTIL(purge_task() != 0);
  struct Ends ends = fork_children(kForks, child);
  CHECK(purge_task() != 0);
  end_busy(&busy);
  CHECK(is_stamped(inherited, kInheritedSize, 99));
  free(inherited);
  CHECK_COMPARE(ends.hung, ==, 0);
  CHECK_COMPARE(ends.died, ==, 0);
  return 0;
}
