// SPDX-License-Identifier: MIT
// Every name of the malloc family and every operator new and delete resolves to the library under
// test, whose path is the first argument; the names come on standard input, one per line. A missing
// one would silently bind to libc's empty heap.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

int main(int argc, char** argv) {
  CHECK(argc == 2);
  char library[4096], object[4096], name[256];
  CHECK(realpath(argv[1], library) != NULL);
  int names = 0, elsewhere = 0;
  while (fgets(name, sizeof name, stdin) != NULL) {
    name[strcspn(name, "\n")] = '\0';
    names++;
    void* symbol = dlsym(RTLD_DEFAULT, name);
    Dl_info info;
    if (symbol != NULL && dladdr(symbol, &info) != 0 && realpath(info.dli_fname, object) != NULL &&
        strcmp(object, library) == 0)
      continue;
    elsewhere++;
    printf("%s: %s\n", name, symbol == NULL ? "not found" : "found in another object");
  }
  fflush(stdout);
  CHECK_COMPARE(elsewhere, ==, 0);
  CHECK_COMPARE(names, >, 40);
  return 0;
}
