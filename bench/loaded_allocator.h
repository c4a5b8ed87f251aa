// SPDX-License-Identifier: MIT
// Which allocator serves this process. Not for timed code.
#pragma once

#include <string>

namespace bench {

struct LoadedAllocator {
  std::string
      name;  // glibc, spillway, mimalloc, jemalloc, ...: the file's name without its trimmings
  std::string file;  // the object that malloc and free come from
};

// Asks the dynamic linker where malloc and free lead, which is stricter than looking for a library
// in /proc/self/maps: a library can be mapped and still serve nothing. The name is "mixed" when the
// two lead to different objects and "linked-in" when they are the executable's own.
LoadedAllocator loaded_allocator();

}  // namespace bench
