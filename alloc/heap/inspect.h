// glibc's calls for looking at and steering malloc, answered for this heap.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdio>

namespace spillway::heap {

// Gives what can be given back: this thread's cache to the freelists, the fallback's free memory to
// the kernel. Returns 1 when the fallback has less memory committed than before, else 0.
int trim(size_t pad);

// arena: bytes committed; uordblks: bytes live; fordblks: bytes free and cached. Of the pool; the
// fallback counts as mapped (hblkhd). The same figures in both forms, cut to int in the old one.
struct mallinfo2 info2();
struct mallinfo info();

// glibc's XML frame around one element per size class. options must be 0.
int info_xml(int options, std::FILE* stream);

// The text statistics, on stderr.
void print_statistics();

// No parameter of glibc's has a counterpart here: 0, "not accepted", and nothing changes.
int set_parameter(int parameter, int value);

}  // namespace spillway::heap
