// SPDX-License-Identifier: MIT
// Prints what the malloc family answers to extreme sizes and alignments, and mallopt to its
// parameters; glibc_answers.py compares the lines with those of glibc. posix_memalign's errno is
// left out: glibc lets one show through, the standard wants none.
#include <stdio.h>

#include "family.h"

enum { kGiB = 1 << 30 };

static const size_t kExtreme[] = {0,
                                  1,
                                  8,
                                  4096,
                                  (size_t)1 << 40,
                                  (size_t)1 << 47,
                                  (size_t)1 << 62,
                                  PTRDIFF_MAX - kGiB,
                                  PTRDIFF_MAX - 65536,
                                  PTRDIFF_MAX - 4096,
                                  PTRDIFF_MAX - 4095,
                                  PTRDIFF_MAX - 32,
                                  PTRDIFF_MAX - 16,
                                  PTRDIFF_MAX - 1,
                                  PTRDIFF_MAX,
                                  (size_t)PTRDIFF_MAX + 1,
                                  SIZE_MAX - 65536,
                                  SIZE_MAX - 4096,
                                  SIZE_MAX - 4095,
                                  SIZE_MAX - 16,
                                  SIZE_MAX - 8,
                                  SIZE_MAX - 1,
                                  SIZE_MAX};
static const size_t kAlignments[] = {0,
                                     1,
                                     3,
                                     8,
                                     16,
                                     24,
                                     33,
                                     4095,
                                     4096,
                                     4097,
                                     1 << 20,
                                     1 << 25,
                                     (size_t)1 << 31,
                                     (size_t)1 << 40,
                                     (size_t)1 << 46,
                                     (size_t)1 << 47,
                                     ((size_t)1 << 62) - 1,
                                     (size_t)1 << 62,
                                     ((size_t)1 << 62) + 1,
                                     PTRDIFF_MAX,
                                     (size_t)1 << 63,
                                     ((size_t)1 << 63) + 1,
                                     SIZE_MAX - 1,
                                     SIZE_MAX};
static const int kParameters[] = {M_MXFAST,    M_TRIM_THRESHOLD,
                                  M_TOP_PAD,   M_MMAP_THRESHOLD,
                                  M_MMAP_MAX,  M_CHECK_ACTION,
                                  M_PERTURB,   M_ARENA_TEST,
                                  M_ARENA_MAX, M_NLBLKS,
                                  M_GRAIN,     M_KEEP,
                                  5,           0,
                                  -9,          1000};
static const int kValues[] = {0,   1,   7,       16,      64,      80,        127,       128, 159,
                              160, 161, 1 << 16, 1 << 20, 1 << 26, INT32_MAX, INT32_MIN, -1};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void answer(const char* call, size_t first, size_t second, void* block) {
  int error = block == NULL ? errno : 0;
  printf("%s(0x%zx, 0x%zx): %s, errno %d\n", call, first, second, block == NULL ? "null" : "block",
         error);
  free(block);
  errno = 0;
}

// Of a block of `before` bytes, which lives on when that fails.
static void answer_realloc(size_t before, size_t size) {
  char* block = malloc(before);
  *block = 'x';
  errno = 0;
  char* moved = realloc(opaque(block), size);
  int error = errno;
  CHECK(*(moved == NULL ? block : moved) == 'x');
  if (moved == NULL) free(block);
  errno = error;
  answer("realloc", before, size, moved);
}

static void answer_aligned(size_t alignment, size_t size) {
  answer("memalign", alignment, size, memalign(alignment, size));
  answer("aligned_alloc", alignment, size, aligned_alloc(alignment, size));
  void* block = &block;
  int error = posix_memalign(&block, alignment, size);
  CHECK(error == 0 || block == &block);
  printf("posix_memalign(0x%zx, 0x%zx): %d\n", alignment, size, error);
  if (error == 0) free(block);
  errno = 0;
}

int main(void) {
  for (size_t i = 0; i < COUNT(kExtreme); i++) {
    size_t size = opaque_size(kExtreme[i]);
    answer("malloc", size, 0, malloc(size));
    answer("calloc", size, 1, calloc(size, 1));
    answer("calloc", 1, size, calloc(1, size));
    answer("calloc", size, 2, calloc(size, 2));
    answer("realloc", 0, size, realloc(NULL, size));
    answer("reallocarray", size, 3, reallocarray(NULL, size, 3));
    answer("valloc", size, 0, valloc(size));
    answer("pvalloc", size, 0, pvalloc(size));
    for (size_t before = 1; before <= 1 << 22 && size != 0; before *= 8)
      answer_realloc(before, size);
    for (size_t j = 0; j < COUNT(kAlignments); j++)
      answer_aligned(opaque_size(kAlignments[j]), size);
  }
  for (size_t i = 0; i < COUNT(kParameters); i++)
    for (size_t j = 0; j < COUNT(kValues); j++)
      printf("mallopt(%d, %d): %d\n", kParameters[i], kValues[j],
             mallopt(kParameters[i], kValues[j]));
  return 0;
}
