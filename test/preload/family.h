// SPDX-License-Identifier: MIT
// The parts of the malloc family that libc's headers do not declare, and the sizes that the tests
// go through.
#ifndef SPILLWAY_TEST_PRELOAD_FAMILY_H_
#define SPILLWAY_TEST_PRELOAD_FAMILY_H_

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "pattern.h"

// Both sides of every border: page, pool, class, large; the last ones are mimalloc's.
static const size_t kSizes[] = {0,       1,       8,       15,     16,     17,     100,     1000,
                                1024,    4095,    4096,    4097,   5000,   8192,   8193,    12288,
                                16383,   16384,   16385,   20480,  20481,  65535,  65536,   65537,
                                100000,  131072,  131073,  262144, 300000, 524288, 1000000, 1048575,
                                1048576, 1048577, 2097152, 5000000};
enum { kSizeCount = sizeof kSizes / sizeof kSizes[0] };

// Requests that must fail with ENOMEM.
static const size_t kImpossible[] = {SIZE_MAX,        SIZE_MAX - 1,      SIZE_MAX - 4095,
                                     SIZE_MAX - 4096, SIZE_MAX / 2 + 2,  (size_t)PTRDIFF_MAX + 1,
                                     PTRDIFF_MAX,     PTRDIFF_MAX - 4096};
enum { kImpossibleCount = sizeof kImpossible / sizeof kImpossible[0] };

static inline int aligned_to(const void* p, size_t alignment) {
  return ((uintptr_t)p & (alignment - 1)) == 0;
}

// The call must have failed the way malloc does.
#define CHECK_NO_MEMORY(call)         \
  do {                                \
    errno = 0;                        \
    CHECK(opaque(call) == NULL);      \
    CHECK_COMPARE(errno, ==, ENOMEM); \
  } while (0)

#endif  // SPILLWAY_TEST_PRELOAD_FAMILY_H_
