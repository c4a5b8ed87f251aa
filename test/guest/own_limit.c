// SPDX-License-Identifier: MIT
// A process that limits its own address space: threads, libraries, files and blocks of all sizes
// are there up to the limit, and end at it.
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "burst.h"

static void* nothing(void* argument) { return argument; }

static void start_thread(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

// Bytes that can be had in blocks of `size`, at most `most`; they stay. Both ends can be written.
static size_t take(size_t size, size_t most) {
  size_t got = 0;
  while (got < most) {
    char* block = malloc(size);
    if (block == NULL) {
      CHECK(errno == ENOMEM);
      break;
    }
    block[0] = block[size - 1] = 1;
    got += size;
  }
  return got;
}

int main(int argc, char** argv) {
  CHECK(argc == 3);
  const size_t limit = strtoul(argv[1], NULL, 10) << 20;
  burst(16);
  char* before = malloc(300000);
  memset(before, 7, 300000);
  const struct rlimit wanted = {limit, limit};
  struct rlimit seen;
  if (strcmp(argv[2], "prlimit") == 0)
    CHECK(prlimit(getpid(), RLIMIT_AS, &wanted, NULL) == 0);
  else
    CHECK(setrlimit(RLIMIT_AS, &wanted) == 0);
  CHECK(getrlimit(RLIMIT_AS, &seen) == 0 && seen.rlim_cur == limit);
  errno = 0;
  const struct rlimit wrong = {2, 1};
  CHECK(setrlimit(RLIMIT_NOFILE, &wrong) == -1 && errno == EINVAL);
  start_thread();
  CHECK(dlopen("libresolv.so.2", RTLD_NOW) != NULL);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    free(malloc(100000));
    free(malloc(10 << 20));
    _exit(0);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK_COMPARE(status, ==, 0);
  burst(64);
  const size_t each = limit / 8;
  CHECK_COMPARE(take(100, each), >=, each);
  CHECK_COMPARE(take(65536, each), >=, each);
  CHECK_COMPARE(take(3 << 20, each), >=, each);
  start_thread();
  FILE* file = fopen("/etc/passwd", "r");
  CHECK(file != NULL);
  fclose(file);
  // All of it is less than the limit.
  CHECK_COMPARE(take(1 << 20, limit) + 3 * each, <, limit);
  for (int i = 0; i < 300000; i++) CHECK(before[i] == 7);
  free(before);
  return 0;
}
