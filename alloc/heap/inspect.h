// SPDX-License-Identifier: MIT
// glibc's calls for looking at and steering malloc, answered for this heap.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace spillway::heap {

// Gives all free memory back, whatever `pad` says: this thread's cache and those of idle threads,
// the pool's and mimalloc's free memory. 1 when there was any.
int trim(size_t pad);
// The same; returns the pool's bytes.
uint64_t purge();
void flush_thread();

// Of the whole process. arena: bytes of blocks with memory, in the pool, and of what mimalloc
// has committed; uordblks: of these, blocks in use; fordblks: the rest, of which keepcost is the
// pool's, in no thread's cache, and would go back with trim(). hblks, hblkhd: large blocks in use
// and their bytes, which the others do not count, as in glibc. The same figures in both forms, cut
// to int in the old one.
struct mallinfo2 info2();
struct mallinfo info();

// glibc's XML frame around one element per size class. options must be 0.
int info_xml(int options, std::FILE* stream);

// The text statistics, on stderr.
void print_statistics();
// 0, EINVAL for a format that does not exist, or EIO when not all was written.
int write_statistics_as(int descriptor, const char* format);

// major * 10000 + minor * 100 + patch.
constexpr int version() { return SPILLWAY_VERSION_NUMBER; }

// No parameter of glibc's has a counterpart here: nothing changes. The answer is glibc's, 1 unless
// M_MXFAST is given a value out of bounds; unknown parameters get a 1 there, too.
int set_parameter(int parameter, int value);

}  // namespace spillway::heap
