// SPDX-License-Identifier: MIT
// A C program linked with libspillway.a: malloc in it and in libc itself is ours. Prints "ours"
// when blocks come from the pool.
#include <pthread.h>
#include <stdio.h>

#include "family.h"

static void* use(void* argument) {
  uint64_t owner = (uint64_t)(uintptr_t)argument;
  for (int round = 0; round < 50; round++) {
    void* blocks[kSizeCount];
    for (size_t i = 0; i < kSizeCount; i++) {
      blocks[i] = i % 2 == 0 ? malloc(kSizes[i] + 8) : memalign(4096, kSizes[i] + 8);
      CHECK(blocks[i] != NULL);
      stamp(blocks[i], kSizes[i] + 8, owner + i);
    }
    for (size_t i = 0; i < kSizeCount; i++) {
      CHECK(is_stamped(blocks[i], kSizes[i] + 8, owner + i));
      free(blocks[i]);
    }
  }
  return NULL;
}

static size_t distance(void* a, void* b) {
  return (uintptr_t)a < (uintptr_t)b ? (uintptr_t)b - (uintptr_t)a : (uintptr_t)a - (uintptr_t)b;
}

int main(void) {
  pthread_t threads[4];
  for (uintptr_t t = 0; t < 4; t++)
    CHECK(pthread_create(&threads[t], NULL, use, (void*)(t * 1000 + 1)) == 0);
  for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);

  // libc's own calls arrive here, too: its blocks have our sizes and are freed by our free.
  char* text = malloc(20000);
  memset(text, 'x', 19999);
  text[19999] = '\0';
  char* copy = strdup(text);
  void* near = malloc(20000);
  void* of_mimalloc = malloc(100);
  CHECK_COMPARE(malloc_usable_size(copy), ==, malloc_usable_size(near));
  int apart = distance(near, of_mimalloc) >= (size_t)1 << 30;
  CHECK(!apart || distance(copy, near) < (size_t)64 << 20);
  CHECK(!apart || malloc_usable_size(near) == 20480);
  free(copy), free(text), free(near), free(of_mimalloc);
  write_text(1, apart ? "ours" : "not ours");
  return 0;
}
