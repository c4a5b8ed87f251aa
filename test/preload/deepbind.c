// A plugin opened with RTLD_DEEPBIND binds malloc and free to libc's own heap. Two heaps in one
// process: what the plugin allocates and frees itself must work, beside and between the program's
// own blocks, in several threads.
#include <dlfcn.h>
#include <pthread.h>

#include "family.h"

typedef int (*Churn)(unsigned);
static Churn churn;

static void* run(void* argument) {
  unsigned seed = (unsigned)(uintptr_t)argument;
  for (unsigned round = 0; round < 50; round++) {
    void* blocks[kSizeCount];
    for (size_t i = 0; i < kSizeCount; i++) {
      blocks[i] = malloc(kSizes[i] + 8);
      stamp(blocks[i], kSizes[i] + 8, seed + i);
    }
    CHECK(churn(seed + round) == 0);
    for (size_t i = 0; i < kSizeCount; i++) {
      CHECK(is_stamped(blocks[i], kSizes[i] + 8, seed + i));
      free(blocks[i]);
    }
  }
  return NULL;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (plugin == NULL) write_text(2, dlerror());
  CHECK(plugin != NULL);
  churn = (Churn)dlsym(plugin, "churn");
  CHECK(churn != NULL);
  pthread_t threads[4];
  for (uintptr_t t = 0; t < 4; t++)
    CHECK(pthread_create(&threads[t], NULL, run, (void*)(t * 1000 + 1)) == 0);
  for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
  CHECK(dlclose(plugin) == 0);
  return 0;
}
