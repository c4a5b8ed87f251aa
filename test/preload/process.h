// SPDX-License-Identifier: MIT
// What the kernel says about this process, read with plain system calls: no allocation.
#ifndef SPILLWAY_TEST_PRELOAD_PROCESS_H_
#define SPILLWAY_TEST_PRELOAD_PROCESS_H_

#include <fcntl.h>
#include <time.h>

#include "check.h"

// Resident memory in bytes.
static inline size_t resident_bytes(void) {
  char text[128] = {0};
  int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  CHECK(read(fd, text, sizeof text - 1) > 0);
  close(fd);
  size_t value = 0;
  const char* p = text;
  while (*p != ' ') p++;
  for (p++; *p >= '0' && *p <= '9'; p++) value = value * 10 + (size_t)(*p - '0');
  return value * (size_t)sysconf(_SC_PAGESIZE);
}

// Number of mappings.
static inline size_t mapping_count(void) {
  char text[4096];
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  size_t lines = 0;
  for (ssize_t n; (n = read(fd, text, sizeof text)) > 0;)
    for (ssize_t i = 0; i < n; i++) lines += text[i] == '\n';
  close(fd);
  return lines;
}

static inline double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Looks at the condition until it holds; fails when it does not within kHangSeconds.
#define WAIT_UNTIL(condition)                                                                \
  do {                                                                                       \
    const double start_ = seconds_now();                                                     \
    while (!(condition)) {                                                                   \
      if (seconds_now() - start_ > kHangSeconds)                                             \
        check_failed(__FILE__ ":" SPILLWAY_TEXT(__LINE__) ": never came: " #condition "\n"); \
      usleep(5000);                                                                          \
    }                                                                                        \
  } while (0)

#endif  // SPILLWAY_TEST_PRELOAD_PROCESS_H_
