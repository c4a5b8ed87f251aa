// SPDX-License-Identifier: MIT
// The heap as a plugin is bound to it: deepbind_library.c exports one of these as `heap`.
#ifndef SPILLWAY_TEST_PRELOAD_DEEPBIND_H_
#define SPILLWAY_TEST_PRELOAD_DEEPBIND_H_

#include <stddef.h>

struct Heap {
  void* (*malloc)(size_t);
  void* (*calloc)(size_t, size_t);
  void* (*realloc)(void*, size_t);
  void* (*aligned_alloc)(size_t, size_t);
  void (*free)(void*);
  size_t (*usable_size)(void*);
  int (*churn)(unsigned);  // makes, grows and frees blocks; 0 when their contents were right
};

#endif  // SPILLWAY_TEST_PRELOAD_DEEPBIND_H_
