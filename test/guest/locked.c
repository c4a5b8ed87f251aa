// SPDX-License-Identifier: MIT
// locked root|limited: a process that locks all its memory, by a right or within a limit. It may,
// blocks of all sizes are there, and no more of them is resident than a few MiB beyond what is
// used. Where the limit is too low it is told so, and keeps its reservation.
#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "burst.h"

enum { kNobody = 65534 };

static size_t mapped_bytes(void) {
  char text[64];
  FILE* file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fgets(text, sizeof text, file) != NULL);
  fclose(file);
  return strtoul(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void give_up_rights(void) {
  CHECK(setgroups(0, NULL) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
        setresuid(kNobody, kNobody, kNobody) == 0);
}

static void check_refusal(void) {
  const size_t before = mapped_bytes();
  errno = 0;
  CHECK(mlockall(MCL_CURRENT) == -1 && errno == ENOMEM);
  CHECK_COMPARE(mapped_bytes(), >=, before);
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  if (geteuid() != 0) SKIP("only root can lock memory, or give up the right to");
  burst(16);
  char* before = malloc(300000);
  CHECK(before != NULL);
  memset(before, 7, 300000);
  if (strcmp(argv[1], "limited") == 0) {
    const struct rlimit low = {1 << 20, RLIM_INFINITY}, high = {(size_t)512 << 20, RLIM_INFINITY};
    const bool may_raise = setrlimit(RLIMIT_MEMLOCK, &high) == 0;
    CHECK(!may_raise || setrlimit(RLIMIT_MEMLOCK, &low) == 0);
    give_up_rights();
    check_refusal();
    if (!may_raise) SKIP("the limit of locked memory can't be raised; its refusal is as expected");
    CHECK(setrlimit(RLIMIT_MEMLOCK, &high) == 0);
  }
  errno = 0;
  CHECK(mlockall(1 << 20) == -1 && errno == EINVAL);
  CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
  const size_t locked = resident_bytes();
  // Growth of a long block, and of the heap.
  char* growing = malloc(100000);
  CHECK(growing != NULL);
  for (size_t size = 200000; size <= (size_t)8 << 20; size *= 2) {
    growing = realloc(growing, size);
    CHECK(growing != NULL);
    memset(growing, 1, size);
  }
  CHECK_COMPARE(resident_bytes(), <, locked + ((size_t)40 << 20));
  free(growing);
  burst(64);
  free(malloc(100));
  for (int i = 0; i < 300000; i++) CHECK(before[i] == 7);
  free(before);
  CHECK(munlockall() == 0);
  return 0;
}
