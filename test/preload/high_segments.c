// SPDX-License-Identifier: MIT
// Small blocks wherever the kernel puts their segments: with the addresses that mimalloc asks for
// taken, and huge ones, for which it asks for none. All of the family works on them, also in
// another thread, and an address beside them is still told from a block.
#include <pthread.h>
#include <sys/mman.h>

#include "family.h"
#include "process.h"

enum { kBlocks = 200000 };

static void* blocks[kBlocks];

static void take_hinted_addresses(void) {
  const size_t piece = (size_t)64 << 30, end = (size_t)30 << 40;
  size_t taken = 0;
  for (size_t at = (size_t)2 << 40; at < end; at += piece)
    taken +=
        mmap((void*)at, piece, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == (void*)at;
  if (taken < 400) SKIP("the kernel does not give the address space away");
}

static size_t size_of(size_t i) { return i * 37 % 1000 + 8; }

static void* change_all(void* unused) {
  for (size_t i = 0; i < kBlocks; i++) {
    CHECK(bytes_match(blocks[i], 0, size_of(i), (unsigned)i));
    CHECK_COMPARE(malloc_usable_size(blocks[i]), >=, size_of(i));
    if (i % 3 == 0) {
      blocks[i] = realloc(blocks[i], 2 * size_of(i));
      CHECK(blocks[i] != NULL && bytes_match(blocks[i], 0, size_of(i), (unsigned)i));
    } else if (i % 3 == 1) {
      free(blocks[i]);
      blocks[i] = NULL;
    }
  }
  return unused;
}

static void check_huge(void) {
  const size_t huge = (size_t)3 << 29;
  char* block = malloc(huge);
  if (block == NULL) return;  // a small machine
  block[0] = block[huge - 1] = 1;
  CHECK_COMPARE(malloc_usable_size(block), >=, huge);
  block = realloc(block, 100);
  CHECK(block != NULL && block[0] == 1);
  free(block);
  free(memalign((size_t)1 << 28, 1 << 20));
}

int main(void) {
  take_hinted_addresses();
  for (int round = 0; round < 2; round++) {
    size_t high = 0;
    for (size_t i = 0; i < kBlocks; i++) {
      blocks[i] = malloc(size_of(i));
      CHECK(blocks[i] != NULL && aligned_to(blocks[i], 16));
      high += (uintptr_t)blocks[i] >> 45 != 0;
      fill_bytes(blocks[i], 0, size_of(i), (unsigned)i);
    }
    CHECK_COMPARE(high, >, kBlocks / 4);
    pthread_t thread;
    if (round == 0) {
      change_all(NULL);
    } else {
      CHECK(pthread_create(&thread, NULL, change_all, NULL) == 0);
      CHECK(pthread_join(thread, NULL) == 0);
    }
    for (size_t i = 0; i < kBlocks; i++) free(blocks[i]);
    check_huge();
  }
  return 0;
}
