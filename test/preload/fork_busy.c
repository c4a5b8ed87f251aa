// SPDX-License-Identifier: MIT
// fork in a process with 16 busy threads, 400 times: each child allocates and frees pooled, small
// and large blocks, some of its parent's too, and leaves. argv[1]: another number of forks.
#include <sys/resource.h>
#include <sys/syscall.h>

#include "forks.h"

enum { kThreads = 16 };

static void* inherited[kSizeCount];
static size_t inherited_sizes[kSizeCount];

static size_t busy_size(uint64_t* random) {
  uint64_t kind = next_random(random) % 8;
  if (kind == 0) return random_size(random, 21, 22);
  if (kind < 4) return random_size(random, 4, 12);
  return random_size(random, 12, 20);
}

static const struct Churn kBusy = {8, busy_size, 0};

static void* run(void* seed) {
  setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 15);  // the children come first
  churn(&kBusy, (uint64_t)(uintptr_t)seed, 0);
  return NULL;
}

static void check_inherited(void) {
  for (size_t i = 0; i < kSizeCount; i++) {
    CHECK(is_stamped(inherited[i], inherited_sizes[i], 99));
    free(inherited[i]);
  }
}

__attribute__((noreturn)) static void child(int number) {
  (void)number;
  alarm(kHangSeconds);
  check_inherited();
  churn(&kBusy, 4242, 40);
  void* large = malloc(3 << 20);
  CHECK(large != NULL);
  stamp(large, 3 << 20, 1);
  large = realloc(large, 100000);
  free(large);
  _exit(0);
}

int main(int argc, char** argv) {
  int forks = argc > 1 ? atoi(argv[1]) : 400;
  for (size_t i = 0; i < kSizeCount; i++) {
    inherited_sizes[i] = kSizes[i] + 8;
    inherited[i] = malloc(inherited_sizes[i]);
    stamp(inherited[i], inherited_sizes[i], 99);
  }
  struct BusyThreads busy;
  start_busy(&busy, kThreads, run);
  struct Ends ends = fork_children(forks, child);
  end_busy(&busy);
  check_inherited();
  CHECK_COMPARE(ends.hung, ==, 0);
  CHECK_COMPARE(ends.died, ==, 0);
  return 0;
}
