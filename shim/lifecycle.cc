// SPDX-License-Identifier: MIT
// Ties the heap to the life of the program it was linked or loaded into.
#include "alloc/heap/lifecycle.h"

#include <unistd.h>

namespace {

// Called once, from where it is first called.
void start(int /*argc*/, char** /*argv*/, char** environment) {
  static bool started = false;
  if (!started) {
    started = true;
    spillway::heap::on_process_start(environment);
  }
}

#ifdef __GLIBC__
// In the preload library, which is marked to be initialised first (-z initfirst).
[[gnu::constructor]] void start_library(int argc, char** argv, char** environment) {
  start(argc, argv, environment);
}
#else
// musl gives constructors no arguments, and knows neither that mark nor .preinit_array.
[[gnu::constructor(101)]] void start_library() { start(0, nullptr, environ); }
#endif

[[gnu::destructor]] void end() { spillway::heap::on_process_end(); }

}  // namespace

#if SPILLWAY_IN_EXECUTABLE && defined(__GLIBC__)
// In an executable, before the constructors of the libraries that it needs.
[[gnu::section(".preinit_array"), gnu::used]] static void (*const start_executable)(int, char**,
                                                                                    char**) = start;
#endif
