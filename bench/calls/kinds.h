// SPDX-License-Identifier: MIT
// What bench_calls measures, a file for each kind. Everything happens in one thread.
#pragma once

namespace bench {

// Rows: empty (the loop alone), pair/SIZE: malloc and free of one block, nothing else live: the
// commonest pattern, and the lower bound of an allocator's cost; it stays on the fastest path of
// every allocator and says nothing about a miss. pair_word/SIZE: the block's first word is written.
void register_pairs();

// Rows: pair/SIZE on both sides of 4 KiB and of 1 MiB, where allocators change their ways.
void register_edges();

// Rows: pair_pages/SIZE: a word of each page is written; pair_all/SIZE: the whole block. With an
// allocator that gives memory back at once, each pair costs page faults.
void register_touched();

// Rows: lifo/64/SIZE, fifo/64/SIZE: 64 blocks allocated, then freed in the opposite or the same
// order; time per block. More blocks than one, so caches of an allocator are filled and emptied.
// empty_batch/64: with calls that do nothing.
void register_batches();

// Rows: zeroed/SIZE: calloc and free; zeroed_word/SIZE: the first word is written,
// zeroed_pages/SIZE: one of each page, so the memory is no longer known to be zero. An allocator
// that takes fresh pages from the kernel in place of clearing is fast until they are used.
void register_zeroed();

// Rows: aligned/ALIGNMENT/SIZE: aligned_alloc and free.
void register_aligned();

// Rows: mixed/small: blocks of a live set of 256 are replaced at random; nine of ten new ones have
// 16 to 2048 bytes, the tenth 4 KiB to 1 MiB, log-uniform both. Time per replacement. empty_mixed:
// with calls that do nothing.
void register_mixed();

// Rows: in_tenant/SIZE: as pair/SIZE, by a thread in a tenant (spillway/spillway.h) where the
// allocator has any: each block is charged and counted off again.
void register_tenants();

}  // namespace bench
