// SPDX-License-Identifier: MIT
// refused [CALL ERROR | grow]: from some point on, the kernel answers ERROR (a number) to every
// system call CALL (mmap, mprotect, munmap, madvise). Threads that already have small blocks ask
// for more: each request gives a block, or null and ENOMEM, within the driver's bounds on time and
// memory; what is live stays whole, and free works. Otherwise the kernel is left alone: refused.py
// makes single calls fail from outside. With `grow` the heap grows, too.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "family.h"

enum { kThreads = 3, kEarly = 50, kBlocks = 20000, kRefusalsTaken = 200, kRounds = 3 };

static pthread_barrier_t started, filtered;

static int number_of(const char* name) {
  static const struct {
    const char* name;
    int number;
  } kCalls[] = {{"mmap", SYS_mmap},
                {"mprotect", SYS_mprotect},
                {"munmap", SYS_munmap},
                {"madvise", SYS_madvise}};
  for (size_t i = 0; i < sizeof kCalls / sizeof kCalls[0]; i++)
    if (strcmp(name, kCalls[i].name) == 0) return kCalls[i].number;
  CHECK(!"a known system call");
  return -1;
}

static void refuse(int number, unsigned error) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
    SKIP("no seccomp filter can be installed");
}

// The largest address space there was, in KiB; 0: the kernel does not say, or was made to.
static size_t peak_address_space(void) {
  static char text[8192];
  int file = open("/proc/self/status", O_RDONLY);
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return 0;
  text[length] = '\0';
  const char* line = strstr(text, "VmPeak:");
  return line == NULL ? 0 : strtoul(line + 7, NULL, 10);
}

static size_t size_of(size_t i) { return 16 + i * 41 % 1500; }

// A block, or null with ENOMEM, counted.
static char* take(size_t size, unsigned* refusals) {
  errno = 0;
  char* block = malloc(size);
  if (block == NULL) {
    CHECK_COMPARE(errno, ==, ENOMEM);
    ++*refusals;
  }
  return block;
}

static void* allocate(void* unused) {
  char* early[kEarly];
  for (size_t i = 0; i < kEarly; i++) {
    early[i] = malloc(size_of(i));
    if (early[i] != NULL) stamp(early[i], size_of(i), i);
  }
  pthread_barrier_wait(&started);
  pthread_barrier_wait(&filtered);
  static char* all[kThreads][kBlocks];
  static int next;
  char** blocks = all[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)];
  unsigned refusals = 0;
  for (int round = 0; round < kRounds; round++) {
    refusals = 0;
    for (size_t i = 0; i < kBlocks && refusals < kRefusalsTaken; i++) {
      blocks[i] = take(size_of(i), &refusals);
      if (blocks[i] != NULL) stamp(blocks[i], size_of(i), i);
    }
    for (size_t size = 2000; size <= 1 << 26; size *= 4) free(take(size, &refusals));
    for (size_t i = 0; i < kBlocks; i++) {
      if (blocks[i] != NULL) CHECK(is_stamped(blocks[i], size_of(i), i));
      errno = 4711;
      free(blocks[i]);
      CHECK_COMPARE(errno, ==, 4711);
      blocks[i] = NULL;
    }
  }
  for (size_t i = 0; i < kEarly; i++) {
    if (early[i] != NULL) CHECK(is_stamped(early[i], size_of(i), i));
    free(early[i]);
  }
  return unused;
}

// The heap grows by so much at once that it asks which of its memory is resident.
static void grow(void) {
  enum { kLong = 256, kLength = 1 << 19 };
  static char* blocks[kLong];
  unsigned refusals = 0;
  for (int i = 0; i < kLong; i++) blocks[i] = take(kLength, &refusals);
  for (int i = 0; i < kLong; i++) free(blocks[i]);
}

int main(int count, char** arguments) {
  pthread_t threads[kThreads];
  pthread_barrier_init(&started, NULL, kThreads + 1);
  pthread_barrier_init(&filtered, NULL, kThreads + 1);
  for (int i = 0; i < kThreads; i++)
    if (pthread_create(&threads[i], NULL, allocate, NULL) != 0) {
      write_text(1, "no thread\n");
      _exit(0);
    }
  pthread_barrier_wait(&started);
  if (count == 3) refuse(number_of(arguments[1]), (unsigned)atoi(arguments[2]));
  size_t before = peak_address_space();
  pthread_barrier_wait(&filtered);
  for (int i = 0; i < kThreads; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  // A segment of 32 MiB now and then.
  const size_t after = peak_address_space();
  if (before != 0 && after != 0) CHECK_COMPARE(after - before, <, 2 << 20);
  if (count == 2) grow();
  write_text(1, "went on\n");
  return 0;
}
