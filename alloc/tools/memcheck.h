// SPDX-License-Identifier: MIT
// What the code tells Valgrind's memcheck. Without memcheck, and in a build that did not find
// Valgrind's headers, nothing happens. Some ten instructions a call without, microseconds with it.
#pragma once

#include <cstddef>

namespace spillway::tools {

// Whether one of Valgrind's tools runs this process.
bool is_under_valgrind();
// Whether memcheck runs this process; not true for Valgrind's other tools.
bool is_under_memcheck();

// Bytes that the program must not touch until they are part of a block.
void memcheck_forbid(const void* start, size_t bytes);
// A block that the program gets or gives back. memcheck keeps the stack of the call. `zeroed`: it
// reads as zero; otherwise reading it before writing is reported.
void memcheck_note_allocation(const void* block, size_t bytes, bool zeroed);
// The contents of a block's bytes are nothing to rely on.
void memcheck_note_unspecified(const void* start, size_t bytes);
void memcheck_note_free(const void* block);

}  // namespace spillway::tools
