// SPDX-License-Identifier: MIT
// malloc and its family take at most 4 KiB of the caller's stack, however deep they go: first
// blocks of a thread, misses and spills, large blocks, resizing, limits, purges in the calling
// thread. Measured on a stack that is filled with a pattern first.
#include <pthread.h>
#include <sys/mman.h>

#include "family.h"

enum { kStack = 256 * 1024, kPattern = 0x5a, kMax = 4096, kBlocks = 600 };

typedef void (*Work)(void);

static unsigned char* stack;
static unsigned char* volatile start_of_work;

static void nothing(void) {}

static void small(void) {
  static void* blocks[kBlocks];
  for (int i = 0; i < kBlocks; i++) blocks[i] = malloc((size_t)(i * 7 % 4000));
  for (int i = 0; i < kBlocks; i++) blocks[i] = realloc(blocks[i], (size_t)(i * 11 % 4000) + 1);
  for (int i = 0; i < kBlocks; i++) free(blocks[i]);
}

// Misses in all directions, spills, and for a while more free than is kept.
static void pooled(void) {
  static void* blocks[kBlocks];
  static const size_t kPooled[] = {4096, 20000, 70000, 300000, 1 << 20};
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < kBlocks; i++) {
      const size_t size = kPooled[(i + round) % 5];
      blocks[i] = i % 3 == 0 ? calloc(1, size) : malloc(size);
      if (blocks[i] != NULL) *(char*)blocks[i] = 1;
    }
    for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  }
}

static void large(void) {
  for (size_t size = 1000; size <= (size_t)200 << 20; size *= 3) {
    void* block = malloc(size);
    void* longer = realloc(block, size * 2);
    void* shorter = realloc(longer != NULL ? longer : block, size / 2 + 1);
    free(shorter);
    void* aligned = NULL;
    if (posix_memalign(&aligned, 8192, size) == 0) free(aligned);
    free(memalign(1 << 20, size));
  }
}

static void trims(void) {
  pooled();
  malloc_trim(0);
}

static void* run(void* work) {
  unsigned char here;
  start_of_work = &here;
  (*(Work*)work)();
  return NULL;
}

// Bytes of the stack below run()'s frame that the work, or what it calls, wrote to.
static size_t depth_of(Work work) {
  memset(stack, kPattern, kStack);
  pthread_attr_t attributes;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstack(&attributes, stack, kStack) == 0);
  pthread_t thread;
  CHECK(pthread_create(&thread, &attributes, run, &work) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  unsigned char* lowest = stack;
  while (*lowest == kPattern) lowest++;
  return start_of_work > lowest ? (size_t)(start_of_work - lowest) : 0;
}

int main(void) {
  stack = mmap(NULL, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(stack != MAP_FAILED);
  static const struct {
    const char* name;
    Work work;
  } kWorks[] = {{"small", small}, {"pooled", pooled}, {"large", large}, {"trims", trims}};
  const size_t without = depth_of(nothing);
  for (size_t i = 0; i < sizeof kWorks / sizeof *kWorks; i++) {
    const size_t depth = depth_of(kWorks[i].work) - without;
    printf("%s: %zu bytes of stack\n", kWorks[i].name, depth);
    CHECK_COMPARE(depth, <=, kMax);
  }
  return 0;
}
