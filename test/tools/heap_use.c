// SPDX-License-Identifier: MIT
// A program that is linked with the override, or runs with it preloaded, and uses memory rightly,
// or wrongly in the way that its argument names. What a tool says of it is judged by report.py.
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPILLWAY_WEAK
#include "spillway/spillway.h"

// glibc has none yet.
__attribute__((weak)) void free_sized(void* block, size_t size);
__attribute__((weak)) void free_aligned_sized(void* block, size_t alignment, size_t size);

static volatile char seen;
__attribute__((noinline)) static void read_byte(const char* at) {
  seen = *(const volatile char*)at;
}
__attribute__((noinline)) static char* take_block(size_t size) { return malloc(size); }
__attribute__((noinline)) static void give_block(char* block) { free(block); }

static void use_after_free(size_t size) {
  char* block = take_block(size);
  memset(block, 1, size);
  give_block(block);
  read_byte(block + 16);
}
static void small(void) { use_after_free(64); }
static void pooled(void) { use_after_free(64 << 10); }
static void large(void) { use_after_free(3 << 20); }

static void reallocated(void) {
  char* block = take_block(64 << 10);
  char* moved = realloc(block, 1 << 20);
  read_byte(block + 16);
  give_block(moved);
}

static void twice(void) {
  char* block = take_block(64 << 10);
  give_block(block);
  give_block(block);
}

#define CHECK(condition)                                           \
  do {                                                             \
    if (!(condition)) {                                            \
      printf("line %d: %s does not hold\n", __LINE__, #condition); \
      exit(3);                                                     \
    }                                                              \
  } while (0)

static void use(char* block, size_t size) {
  CHECK(block != NULL && malloc_usable_size(block) >= size);
  memset(block, 1, size);
}

// Every call there is: what one gives, any other takes.
static void family(size_t size) {
  char* block = malloc(size);
  use(block, size);
  block = reallocarray(block, 2, size);
  use(block, 2 * size);
  block = realloc(block, size / 2);
  use(block, size / 2);
  free(block);
  block = calloc(2, size);
  CHECK(block[0] == 0 && block[2 * size - 1] == 0);
  if (free_sized != NULL) {
    free_sized(block, 2 * size);
  } else {
    free(block);
  }
  block = reallocarray(NULL, 1, size);
  use(block, size);
  free(block);
  for (size_t alignment = 64; alignment <= 65536; alignment *= 32) {
    block = aligned_alloc(alignment, 2 * alignment);
    CHECK((uintptr_t)block % alignment == 0);
    use(block, 2 * alignment);
    if (free_aligned_sized != NULL) {
      free_aligned_sized(block, alignment, 2 * alignment);
    } else {
      free(block);
    }
    block = memalign(alignment, size);
    use(block, size);
    block = realloc(block, 3 * size);
    use(block, 3 * size);
    free(block);
    void* out = NULL;
    CHECK(posix_memalign(&out, alignment, size) == 0);
    use(out, size);
    free(out);
  }
  block = valloc(size);
  use(block, size);
  free(block);
  // Without ours, Valgrind leaves pvalloc() to glibc.
  if (spillway_version != NULL) {
    block = pvalloc(size);
    use(block, size);
    free(block);
  }
}

static void* run_family(void* argument) {
  for (size_t size = 20; size < 5 << 20; size *= 13) {
    family(size);
  }
  return argument;
}

static void correct(void) {
  CHECK(getenv("PRELOAD") == NULL || spillway_version != NULL);
  run_family(NULL);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, run_family, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  char* across = take_block(100000);
  const pid_t child = fork();
  if (child == 0) {
    give_block(across);
    run_family(NULL);
    _exit(0);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  give_block(across);
  malloc_trim(0);
  CHECK(mallinfo2().arena < SIZE_MAX);
  CHECK(mallopt(M_MXFAST, 0) >= 0);
  if (spillway_version != NULL) {
    spillway_purge();
    spillway_flush_thread();
    CHECK(spillway_held_bytes() < SIZE_MAX);
    FILE* nowhere = fopen("/dev/null", "w");
    CHECK(spillway_write_statistics(fileno(nowhere), "json") == 0);
    CHECK(malloc_info(0, nowhere) == 0);
    fclose(nowhere);
  }
#ifdef LOCKS
  CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
#endif
}

static const struct {
  const char* name;
  void (*run)(void);
} kCases[] = {{"small", small}, {"pooled", pooled},  {"large", large}, {"reallocated", reallocated},
              {"twice", twice}, {"correct", correct}};

int main(int count, char** arguments) {
  for (size_t i = 0; i < sizeof kCases / sizeof kCases[0]; ++i) {
    if (count == 2 && strcmp(kCases[i].name, arguments[1]) == 0) {
      kCases[i].run();
      puts("end");
      return 0;
    }
  }
  fputs("usage: heap_use CASE\n", stderr);
  return 2;
}
