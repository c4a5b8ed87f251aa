// SPDX-License-Identifier: MIT
// For the misuse programs: say what is expected, misuse, survive. misuse.py runs each and compares
// with the message.
#ifndef SPILLWAY_TEST_MISUSE_MISUSE_H_
#define SPILLWAY_TEST_MISUSE_MISUSE_H_

#include <malloc.h>
#include <stdlib.h>

#define SPILLWAY_WEAK
#include "check.h"
#include "pattern.h"
#include "spillway/spillway.h"

// With MISUSE_IN_TENANT set the program's blocks are watched: it allocates for a tenant.
static void __attribute__((constructor)) enter_tenant(void) {
  if (getenv("MISUSE_IN_TENANT") == NULL) return;
  const int tenant = spillway_tenant_create("misuse", 0);
  CHECK(tenant > 0 && spillway_tenant_enter(tenant) == 0);
}

enum { kAnyClass = 0 };

static inline void write_hex(uint64_t value) {
  char digits[20] = "0x";
  int at = 2;
  for (int shift = 60; shift >= 0; shift -= 4)
    if (value >> shift != 0 || shift == 0) digits[at++] = "0123456789abcdef"[value >> shift & 15];
  digits[at] = '\0';
  write_text(1, digits);
}

// kind: "double", "interior" (with the offset in bytes), "before" (a start), "never", "nowhere"
// (neither in a block nor the start of one that was freed); "foreign-CALL" for memory that is not
// the allocator's, the place then 0. size_class: the class's block size in bytes, or below the pool
// the block's bytes; or kAnyClass.
static inline void expect(const char* kind, const void* address, size_t offset, size_t size_class) {
  write_text(1, kind);
  write_text(1, " ");
  write_hex((uint64_t)(uintptr_t)address);
  write_text(1, " ");
  write_number(1, offset);
  write_text(1, " ");
  write_number(1, size_class);
  write_text(1, "\n");
}

// The process went on after the misuse: its heap must still be sound. Ends main.
static inline int survived(void) {
  enum { kBlocks = 200 };
  static const size_t sizes[] = {4096, 16384, 20480, 65536, 1048576, 24, 100, 1000, 3000};
  enum { kSizes = sizeof sizes / sizeof sizes[0] };
  static void* blocks[kBlocks];
  for (int round = 0; round < 3; round++) {
    for (uint64_t i = 0; i < kBlocks; i++) {
      blocks[i] = malloc(sizes[i % kSizes]);
      CHECK(blocks[i] != NULL);
      stamp(blocks[i], sizes[i % kSizes], i);
    }
    for (uint64_t i = 0; i < kBlocks; i++) {
      CHECK(is_stamped(blocks[i], sizes[i % kSizes], i));
      free(blocks[i]);
    }
  }
  write_text(1, "survived\n");
  return 0;
}

#endif  // SPILLWAY_TEST_MISUSE_MISUSE_H_
