// SPDX-License-Identifier: MIT
// Opens a plugin, named by the variable PLUGIN, from its constructor: that runs before the one of
// libspillway.so. deepbind_early.c depends on this library.
#include <dlfcn.h>
#include <stdlib.h>

void* early_plugin;

__attribute__((constructor)) static void at_load(void) {
  const char* path = getenv("PLUGIN");
  if (path != NULL) early_plugin = dlopen(path, RTLD_NOW | RTLD_DEEPBIND);
}
