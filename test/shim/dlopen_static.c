// SPDX-License-Identifier: MIT
// A fully static program that opens libraries, linked with libspillway.a: libc's own dlopen serves
// it. The argument is a library whose `answer` returns 42.
#include <dlfcn.h>

#include "family.h"

int main(int argc, char** argv) {
  CHECK(argc == 2);
  void* block = malloc(5000);
  CHECK(block != NULL);
  for (int i = 0; i < 2; i++) {
    int flags = RTLD_NOW | (i == 0 ? 0 : RTLD_DEEPBIND);
    CHECK(dlopen("/no/such/library.so", flags) == NULL);
    const char* message = dlerror();
    CHECK(message != NULL && strstr(message, "/no/such/library.so: cannot open") != NULL);
    void* handle = dlopen(argv[1], flags);
    if (handle == NULL) write_text(2, dlerror());
    CHECK(handle != NULL);
    int (*answer)(void) = (int (*)(void))dlsym(handle, "answer");
    CHECK(answer != NULL && answer() == 42);
    CHECK(dlclose(handle) == 0);
  }
  free(block);
  return 0;
}
