// SPDX-License-Identifier: MIT
// mimalloc alone, preloadable, from the source and flags of the embedded one: the benchmarks'
// baseline.
#define SPILLWAY_BARE_MIMALLOC 1
#include "hooked_mimalloc.c"
