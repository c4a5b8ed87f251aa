// SPDX-License-Identifier: MIT
#include "alloc/tools/memcheck.h"

#if __has_include(<valgrind/memcheck.h>)

// The headers' macros cast as C does, and leave results unused.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <valgrind/memcheck.h>

namespace spillway::tools {

bool is_under_valgrind() { return RUNNING_ON_VALGRIND != 0; }

bool is_under_memcheck() {
  // Other tools leave such a request unanswered.
  const char byte = 0;
  char bits = 0;
  constexpr unsigned kDone = 1;
  return VALGRIND_GET_VBITS(&byte, &bits, sizeof byte) == kDone;
}

void memcheck_forbid(const void* start, size_t bytes) { VALGRIND_MAKE_MEM_NOACCESS(start, bytes); }

void memcheck_note_allocation(const void* block, size_t bytes, bool zeroed) {
  VALGRIND_MALLOCLIKE_BLOCK(block, bytes, 0, zeroed);
}

void memcheck_note_unspecified(const void* start, size_t bytes) {
  VALGRIND_MAKE_MEM_UNDEFINED(start, bytes);
}

void memcheck_note_free(const void* block) { VALGRIND_FREELIKE_BLOCK(block, 0); }

}  // namespace spillway::tools

#pragma GCC diagnostic pop

#else

namespace spillway::tools {

bool is_under_valgrind() { return false; }
bool is_under_memcheck() { return false; }
void memcheck_forbid(const void*, size_t) {}
void memcheck_note_allocation(const void*, size_t, bool) {}
void memcheck_note_unspecified(const void*, size_t) {}
void memcheck_note_free(const void*) {}

}  // namespace spillway::tools

#endif
