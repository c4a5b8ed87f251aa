// SPDX-License-Identifier: MIT
// deepbind_early one|two: as deepbind.c, of the plugin that deepbind_early_library.c has opened.
#include <dlfcn.h>

#include "check.h"
#include "deepbind.h"

extern void* early_plugin;

int main(int argc, char** argv) {
  CHECK(argc == 2);
  CHECK(early_plugin != NULL);
  const struct Heap* heap = dlsym(early_plugin, "heap");
  CHECK(heap != NULL);
  CHECK_COMPARE((void*)heap->malloc == dlsym(RTLD_DEFAULT, "malloc"), ==,
                strcmp(argv[1], "one") == 0);
  CHECK(heap->churn(1) == 0);
  return 0;
}
