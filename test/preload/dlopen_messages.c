// SPDX-License-Identifier: MIT
// Prints what dlopen answers: results, dlerror's messages and errno. The argument is a library.
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

static void* try_to_open(const char* path, int flags) {
  errno = 77;
  void* handle = dlopen(path, flags);
  int error = errno;
  const char* message = dlerror();
  printf("%s, flags %#x: %s, errno %d, %s\n", path != NULL ? path : "the program", (unsigned)flags,
         handle != NULL ? "opened" : "null", error, message != NULL ? message : "no message");
  return handle;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  // A success forgets what failed before, the first call of all included.
  dlsym(RTLD_DEFAULT, "no such symbol");
  try_to_open(NULL, RTLD_NOW);
  for (int i = 0; i < 2; i++) {
    int more = i == 0 ? 0 : RTLD_DEEPBIND;
    try_to_open("/no/such/library.so", RTLD_NOW | more);
    try_to_open("no_such_library.so", RTLD_LAZY | more);
    try_to_open("$ORIGIN/no_such_library.so", RTLD_LAZY | more);
    try_to_open("/dev/null", RTLD_NOW | more);
    try_to_open("/", RTLD_NOW | more);
    try_to_open("", RTLD_NOW | more);
    try_to_open(__FILE__, RTLD_NOW | more);
    try_to_open(argv[0], RTLD_NOW | more);
    try_to_open(NULL, more);
    try_to_open(argv[1], more);
    try_to_open(argv[1], RTLD_NOW | 0x40 | more);
    try_to_open(argv[1], RTLD_NOW | 0x10000 | more);
    try_to_open(argv[1], RTLD_NOW | RTLD_NOLOAD | more);
    void* handle = try_to_open(argv[1], RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE | more);
    if (handle != NULL && dlclose(handle) != 0) return 1;
    try_to_open(argv[1], RTLD_NOW | RTLD_NOLOAD | more);
  }
  return 0;
}
