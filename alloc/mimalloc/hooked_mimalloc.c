// SPDX-License-Identifier: MIT
// mimalloc as one unit of ours: every function in it calls the fork gate when it starts and ends
// (-finstrument-functions), but those that CMakeLists.txt takes out for speed. unhooked.h,
// generated, names the ones among them that this version's headers declare.
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

// Privileged programs ignore mimalloc's environment options. mimalloc asks getenv when told not to
// walk `environ` itself.
#define MI_USE_ENVIRON 0
#define getenv secure_getenv

// libc's toupper and sysconf read tables that nothing else touches when a process starts: sixteen
// file pages each. Option names are ASCII, and the page size is in the auxiliary vector.
#undef toupper
#define toupper(c) ((c) >= 'a' && (c) <= 'z' ? (c) - 'a' + 'A' : (c))
#define sysconf(name) ((name) == _SC_PAGESIZE ? (long)getpagesize() : sysconf(name))

#if __has_include("mimalloc/internal.h")
#include "mimalloc.h"
#include "mimalloc/internal.h"
#else
#include "mimalloc.h"

#include "mimalloc-internal.h"  // after it: needs its types
#endif

#ifndef SPILLWAY_BARE_MIMALLOC
#define SPILLWAY_UNHOOKED(function) \
  extern __typeof__(function) function __attribute__((no_instrument_function));
#include "unhooked.h"
// It has no slow path of its own, only calls of them: a part of every free().
extern __typeof__(mi_free) mi_free __attribute__((always_inline));
#endif

#if SPILLWAY_MIMALLOC_EXTENDED
#include "mimalloc_209.h"
#else
#include "static.c"
#endif
