# SPDX-License-Identifier: MIT
"""Why one of glibc's tests may fail with Spillway and not without: only what is about glibc's own inside."""

REASONS = {
    "tst-compathooks-on": "the hooks of `libc_malloc_debug.so`: another allocator has none",
    "tst-malloc-backtrace": "writes in front of a freed block and expects glibc to notice that in its header; there is no "
                            "header, and no memory in front of a span's first block",
    "tst-dynarray-fail": "leaves 2 MiB of address space before the first small block, of which mimalloc asks for 32 MiB at a time",
    "tst-malloc-thread-fail": "the same: each of its threads has small blocks, and 200 MiB are fewer than 32 MiB for each",
    "tst-malloc-stats-cancellation": "looks for the words `max mmap bytes` of glibc's text; ours is complete, and the thread is "
                                     "cancelled after it, as the test wants",
    "tst-malloc-usable": "the exact sizes of `libc_malloc_debug.so` with `MALLOC_CHECK_`",
    "tst-malloc-usable-tunables": "the same, switched on by a tunable",
    "tst-mallocstate": "a heap dumped by an old glibc is loaded into glibc's heap",
    "tst-safe-linking": "reads and damages the list pointers that glibc keeps in freed blocks",
}

# What cannot be judged outside glibc's tree, with either allocator.
OUTSIDE = {
    "tst-dynarray-at-fail": "the text that it expects is written by a private function of glibc's",
}
