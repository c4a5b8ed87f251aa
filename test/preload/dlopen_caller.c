// SPDX-License-Identifier: MIT
// dlopen_caller SIBLING OPENER...: dlopen keeps its caller. Each OPENER has a run path to the
// folder that it and SIBLING stand in; this program has none, so that SIBLING's bare name means
// nothing to it.
#include <dlfcn.h>
#include <stdio.h>

#include "check.h"

static const char *sibling, *bare;

static void check_answer(void* handle) {
  if (handle == NULL) write_text(2, dlerror());
  CHECK(handle != NULL);
  int (*answer)(void) = (int (*)(void))dlsym(handle, "answer");
  CHECK(answer != NULL && answer() == 42);
  CHECK(dlclose(handle) == 0);
}

static void check_opener(const char* path, int flags) {
  void* opener = dlopen(path, RTLD_NOW | flags);
  CHECK(opener != NULL);
  void* (*open_other)(const char*, int) = (void* (*)(const char*, int))dlsym(opener, "open_other");
  CHECK(open_other != NULL);
  char by_origin[256];
  snprintf(by_origin, sizeof by_origin, "$ORIGIN/%s", bare);
  check_answer(open_other(bare, RTLD_NOW | flags));
  check_answer(open_other(by_origin, RTLD_LAZY | flags));
  check_answer(open_other(sibling, RTLD_NOW | flags));
  CHECK(dlopen(bare, RTLD_NOW | flags) == NULL);
  CHECK(dlopen(by_origin, RTLD_NOW | flags) == NULL);
  CHECK(open_other("no_such_library.so", RTLD_NOW | flags) == NULL);
  CHECK(dlclose(opener) == 0);
}

static void check_flags(int flags) {
  CHECK(dlopen(sibling, RTLD_NOW | RTLD_NOLOAD | flags) == NULL);
  void* handle = dlopen(sibling, RTLD_NOW | flags);
  CHECK(handle != NULL);
  CHECK(dlopen(sibling, RTLD_NOW | RTLD_NOLOAD | flags) == handle);
  CHECK(dlsym(RTLD_DEFAULT, "answer") == NULL);
  CHECK(dlclose(handle) == 0);
  check_answer(handle);

  void* program = dlopen(NULL, RTLD_NOW | flags);
  CHECK(program != NULL);
  CHECK(dlsym(program, "malloc") == dlsym(RTLD_DEFAULT, "malloc"));
  CHECK(dlclose(program) == 0);
}

int main(int argc, char** argv) {
  CHECK(argc >= 3);
  sibling = argv[1];
  bare = strrchr(sibling, '/');
  CHECK(bare != NULL);
  bare++;
  for (int i = 2; i < argc; i++) {
    check_opener(argv[i], 0);
    check_opener(argv[i], RTLD_DEEPBIND);
  }
  check_flags(0);
  check_flags(RTLD_DEEPBIND);
  return 0;
}
