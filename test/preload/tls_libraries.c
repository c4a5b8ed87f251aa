// SPDX-License-Identifier: MIT
// Many libraries with thread-local variables opened while threads run: their TLS is allocated by
// the dynamic linker, through malloc, in each thread and freed after it. One library needs static
// TLS, which is scarce: the heap must leave it room.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "pattern.h"

enum { kLibraries = 40, kThreads = 8, kRounds = 12 };

typedef int (*Use)(int);
static Use use[kLibraries];
static void* handles[kLibraries];
static char folder[] = P_tmpdir "/spillway-tls-XXXXXX";

static void copy_file(const char* from, const char* to) {
  FILE* in = fopen(from, "rb");
  FILE* out = fopen(to, "wb");
  CHECK(in != NULL && out != NULL);
  char* buffer = malloc(65536);
  for (size_t n; (n = fread(buffer, 1, 65536, in)) > 0;) CHECK(fwrite(buffer, 1, n, out) == n);
  free(buffer);
  fclose(in);
  CHECK(fclose(out) == 0);
}

static void path_of(int i, char* path, size_t room) {
  snprintf(path, room, "%s/library%d.so", folder, i);
}

static void* run(void* argument) {
  int seed = (int)(intptr_t)argument;
  for (int i = 0; i < kLibraries; i++) CHECK(use[i](seed) == 1);
  for (int i = kLibraries; i-- > 0;) CHECK(use[i](seed) == 2);
  return NULL;
}

int main(int argc, char** argv) {
  CHECK(argc == 3);
  CHECK(mkdtemp(folder) != NULL);
  char path[128];
  for (int i = 0; i < kLibraries; i++) {
    path_of(i, path, sizeof path);
    copy_file(argv[1], path);
  }
  for (int round = 0; round < kRounds; round++) {
    for (int i = 0; i < kLibraries; i++) {
      path_of(i, path, sizeof path);
      handles[i] = dlopen(path, RTLD_NOW | RTLD_LOCAL);
      CHECK(handles[i] != NULL);
      use[i] = (Use)dlsym(handles[i], "use_tls");
      CHECK(use[i] != NULL);
    }
    pthread_t threads[kThreads];
    for (int t = 0; t < kThreads; t++)
      CHECK(pthread_create(&threads[t], NULL, run, (void*)(intptr_t)(round * 100 + t + 1)) == 0);
    for (int t = 0; t < kThreads; t++) pthread_join(threads[t], NULL);
    for (int i = 0; i < kLibraries; i++) CHECK(dlclose(handles[i]) == 0);
  }
  for (int i = 0; i < kLibraries; i++) {
    path_of(i, path, sizeof path);
    CHECK(unlink(path) == 0);
  }
  CHECK(rmdir(folder) == 0);
  void* static_tls = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  if (static_tls == NULL) write_text(2, dlerror());
  CHECK(static_tls != NULL);
  Use use_static = (Use)dlsym(static_tls, "use_tls");
  CHECK(use_static(5) == 1 && use_static(5) == 2);
  return 0;
}
