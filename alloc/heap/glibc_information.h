// SPDX-License-Identifier: MIT
// Calls of <malloc.h> that only glibc has, answered for this heap; not compiled with another libc.
#pragma once

#include <malloc.h>

#include <cstdio>

namespace spillway::heap {

// Of the whole process. arena: bytes of blocks with memory, in the pool, and of what mimalloc
// has committed; uordblks: of these, blocks in use; fordblks: the rest, of which keepcost is the
// pool's, in no thread's cache, and would go back with trim(). hblks, hblkhd: large blocks in use
// and their bytes, which the others do not count, as in glibc. The same figures in both forms, cut
// to int in the old one.
struct mallinfo2 info2();
struct mallinfo info();

// glibc's XML frame around one element per size class. options must be 0.
int info_xml(int options, std::FILE* stream);

// No parameter of glibc's has a counterpart here: nothing changes. The answer is glibc's, 1 unless
// M_MXFAST is given a value out of bounds; unknown parameters get a 1 there, too.
int set_parameter(int parameter, int value);

}  // namespace spillway::heap
