// SPDX-License-Identifier: MIT
// The functions that the recorder stands in front of: the next ones in the loader's order.
#pragma once

#include <cstddef>

namespace bench::trace {

struct Real {
  void* (*malloc)(std::size_t);
  void* (*calloc)(std::size_t, std::size_t);
  void* (*realloc)(void*, std::size_t);
  void (*free)(void*);
  int (*posix_memalign)(void**, std::size_t, std::size_t);
  void* (*aligned_alloc)(std::size_t, std::size_t);
  void* (*memalign)(std::size_t, std::size_t);
  void* (*valloc)(std::size_t);
  void* (*pvalloc)(std::size_t);
};

// Looked up on the first call. What dlsym() asks for meanwhile comes from a small static reserve.
const Real& real();

// Whether the block is one of the reserve's, which are never freed; how large it is.
bool from_reserve(const void* block);
std::size_t reserve_size(const void* block);

// One line on stderr, and abort().
[[noreturn]] void give_up(const char* line);

}  // namespace bench::trace
