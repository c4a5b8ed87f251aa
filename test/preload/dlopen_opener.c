// SPDX-License-Identifier: MIT
// A plugin that opens others: dlopen finds them by this library's own run path.
#include <dlfcn.h>

__attribute__((visibility("default"))) void* open_other(const char* name, int flags) {
  void* handle = dlopen(name, flags);
  // The call is no tail call: it has to return to this library.
  __asm__ volatile("" : "+r"(handle));
  return handle;
}
