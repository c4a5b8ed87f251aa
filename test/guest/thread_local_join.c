// SPDX-License-Identifier: MIT
// libc frees a thread's dynamic thread-local data under its own locks when the thread is joined;
// with a large block free, the library's thread is started then. Argument: the library of that
// data.
#include <dlfcn.h>
#include <pthread.h>

#include "burst.h"

static char* (*touch)(void);

static void* run(void* nothing) {
  touch();
  return nothing;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  void* library = dlopen(argv[1], RTLD_NOW);
  CHECK(library != NULL);
  touch = (char* (*)(void))dlsym(library, "touch");
  CHECK(touch != NULL);
  pthread_attr_t attributes;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, (size_t)64 << 20) == 0);
  for (int round = 0; round < 10; round++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, run, NULL) == 0);
    char* large = malloc((size_t)16 << 20);
    memset(large, 1, (size_t)16 << 20);
    free(large);
    CHECK(pthread_join(thread, NULL) == 0);
  }
  return 0;
}
