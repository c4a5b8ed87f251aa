// SPDX-License-Identifier: MIT
// A library whose constructor and destructor use the heap: early.c depends on it, and it is
// preloaded beside libspillway.so.
#include "early.h"

struct EarlyBlocks early_library_blocks;

__attribute__((constructor)) static void at_load(void) { early_make(&early_library_blocks, 9); }
__attribute__((destructor)) static void at_unload(void) { early_free(&early_library_blocks); }
