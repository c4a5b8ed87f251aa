// SPDX-License-Identifier: MIT
// malloc before main: in .preinit_array (before any library's constructor), in constructors of a
// library the program depends on, of the program itself, and of a second preloaded library. Blocks
// made there live on and are freed later.
#include "early.h"

static struct EarlyBlocks preinit, first, last;

static void at_preinit(int argc, char** argv, char** envp) {
  (void)argc, (void)argv, (void)envp;
  early_make(&preinit, 1);
}
__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(int, char**,
                                                                              char**) = at_preinit;

__attribute__((constructor(101))) static void at_first(void) { early_make(&first, 2); }
__attribute__((constructor)) static void at_last(void) { early_make(&last, 3); }
__attribute__((destructor)) static void at_end(void) { early_free(&last); }

extern struct EarlyBlocks early_library_blocks;

int main(void) {
  early_check(&preinit);
  early_check(&first);
  early_check(&last);
  early_check(&early_library_blocks);
  early_free(&preinit);
  early_free(&first);
  struct EarlyBlocks again;
  early_make(&again, 4);
  early_check(&last);
  early_check(&early_library_blocks);
  early_free(&again);
  return 0;
}
