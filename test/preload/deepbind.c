// SPDX-License-Identifier: MIT
// Plugins opened with RTLD_DEEPBIND, by several threads at once.
//   deepbind PLUGIN one   the flag is cleared: the plugin is bound to the program's malloc, and
//   blocks cross
//                         the border both ways
//   deepbind PLUGIN two   the option says `kept`: the plugin has libc's heap. What it makes and
//   frees itself
//                         works, beside and between the program's own blocks
#include "deepbind.h"

#include <dlfcn.h>
#include <pthread.h>

#include "family.h"

enum { kThreads = 4, kRounds = 6 };

static const char* path;
static int one_heap;
static pthread_barrier_t together;

static void* block(void* made, size_t size, unsigned seed) {
  CHECK(made != NULL);
  stamp(made, size, seed);
  return made;
}

// What the program's heap made, the plugin's grows and frees, and the reverse. What libc's
// functions give is to be freed by either.
static void cross(const struct Heap* heap, unsigned seed) {
  const struct Heap own = {malloc, calloc, realloc, aligned_alloc, free, malloc_usable_size, NULL};
  const struct Heap* sides[] = {&own, heap};
  for (int side = 0; side < 2; side++) {
    const struct Heap *maker = sides[side], *taker = sides[!side];
    for (size_t i = 0; i < kSizeCount; i++) {
      size_t n = kSizes[i] + 8;
      void* p = block(maker->malloc(n), n, seed);
      CHECK_COMPARE(maker->usable_size(p), ==, taker->usable_size(p));
      void* q = block(maker->calloc(1, n), n, seed + 1);
      void* r = block(maker->aligned_alloc(64, (n + 63) & ~(size_t)63), n, seed + 2);
      CHECK(is_stamped(p, n, seed) && is_stamped(q, n, seed + 1) && is_stamped(r, n, seed + 2));
      taker->free(q);
      taker->free(r);
      fill_bytes(p, 0, n, seed);
      p = taker->realloc(p, n * 2);
      CHECK(p != NULL && bytes_match(p, 0, n, seed));
      p = maker->realloc(p, n);
      CHECK(p != NULL && bytes_match(p, 0, n, seed));
      taker->free(p);
    }
  }
  heap->free(strdup("from libc"));
  char* line = heap->malloc(8);
  CHECK(asprintf(&line, "%0*d", 5000, (int)seed) == 5000);
  heap->free(line);
}

static void* run(void* argument) {
  unsigned seed = (unsigned)(uintptr_t)argument;
  pthread_barrier_wait(&together);
  for (unsigned round = 0; round < kRounds; round++) {
    void* plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (plugin == NULL) write_text(2, dlerror());
    CHECK(plugin != NULL);
    const struct Heap* heap = dlsym(plugin, "heap");
    CHECK(heap != NULL);
    CHECK_COMPARE((void*)heap->malloc == dlsym(RTLD_DEFAULT, "malloc"), ==, one_heap);
    CHECK_COMPARE((void*)heap->free == dlsym(RTLD_DEFAULT, "free"), ==, one_heap);
    void* blocks[kSizeCount];
    for (size_t i = 0; i < kSizeCount; i++)
      blocks[i] = block(malloc(kSizes[i] + 8), kSizes[i] + 8, seed + i);
    CHECK(heap->churn(seed + round) == 0);
    if (one_heap) cross(heap, seed + round);
    for (size_t i = 0; i < kSizeCount; i++) {
      CHECK(is_stamped(blocks[i], kSizes[i] + 8, seed + i));
      free(blocks[i]);
    }
    CHECK(dlclose(plugin) == 0);
  }
  return NULL;
}

int main(int argc, char** argv) {
  CHECK(argc == 3);
  path = argv[1];
  one_heap = strcmp(argv[2], "one") == 0;
  CHECK(one_heap || strcmp(argv[2], "two") == 0);
  pthread_t threads[kThreads];
  CHECK(pthread_barrier_init(&together, NULL, kThreads) == 0);
  for (uintptr_t t = 0; t < kThreads; t++)
    CHECK(pthread_create(&threads[t], NULL, run, (void*)(t * 1000 + 1)) == 0);
  for (int t = 0; t < kThreads; t++) pthread_join(threads[t], NULL);
  return 0;
}
