// SPDX-License-Identifier: MIT
// ACTION SIZE: one misuse that hardened mode catches or makes harmless; hardened.py knows how.
// Prints what it saw last, if it lives so long.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kReuses = 6000, kSecret = 0x5e };
static void* reused[kReuses];

static void write_at(volatile char* block, ptrdiff_t at) { block[at] = 1; }
static int read_at(volatile char* block, ptrdiff_t at) { return block[at]; }

static void* volatile kept;
static void* take(size_t size) { return kept = malloc(size); }
static void give(void* block) {
  kept = block;
  free(kept);
}

// Until each free slot of the size was in use again: more than two of the steps in which slots are
// made.
static void reuse_all(size_t size) {
  for (int i = 0; i < kReuses; i++) reused[i] = take(size);
  for (int i = 0; i < kReuses; i++) give(reused[i]);
}

static size_t rounded(size_t size) { return (size + 15) & ~(size_t)15; }

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const char* action = argv[1];
  size_t size = strtoull(argv[2], NULL, 10);
  char* block = take(size);
  if (block == NULL) return 3;
  memset(block, kSecret, size);
  uintptr_t before = (uintptr_t)block;
  if (strcmp(action, "overflow") == 0) {
    write_at(block, (ptrdiff_t)size);
    give(block);
  } else if (strcmp(action, "overflow_far") == 0) {
    write_at(block, (ptrdiff_t)rounded(size));
    give(block);
  } else if (strcmp(action, "overread") == 0) {
    read_at(block, (ptrdiff_t)rounded(size));
  } else if (strcmp(action, "underflow") == 0) {
    write_at(block, -1);
    give(block);
  } else if (strcmp(action, "underflow_far") == 0) {
    write_at(block, -4096);
    give(block);
  } else if (strcmp(action, "write_after_free") == 0) {
    give(block);
    write_at(block, (ptrdiff_t)size / 2);
    reuse_all(size);
  } else if (strcmp(action, "read_after_free") == 0) {
    give(block);
    puts(read_at(block, (ptrdiff_t)size / 2) == kSecret ? "secret" : "no secret");
  } else if (strcmp(action, "stale") == 0) {
    give(block);
    int secrets = 0;
    for (int i = 0; i < kReuses; i++) {
      char* other = take(size);
      secrets += other[size / 2] == kSecret;
      give(other);
    }
    puts(secrets != 0 ? "secret" : "no secret");
  } else if (strcmp(action, "reuse") == 0) {
    give(block);
    puts((uintptr_t)take(size) == before ? "same" : "other");
  } else if (strcmp(action, "place") == 0) {
    // Of twenty blocks, whether each is behind the one before.
    int in_order = 0;
    for (int i = 0; i < 20; i++) {
      uintptr_t next = (uintptr_t)take(size);
      in_order += next > before;
      before = next;
    }
    puts(in_order == 20 ? "in order" : "shuffled");
  } else {
    return 2;
  }
  puts("survived");
  return 0;
}
