// SPDX-License-Identifier: MIT
// The rows of bench_pool, by the file that has them. Figures are ns per buffer unless said
// otherwise; every row that calls malloc is there to be compared with.
#pragma once

#include <cstdlib>

#include "bench/sizes.h"
#include "spillway/pool.h"

namespace bench {

// pool/empty: the loop alone. Then, one thread, nothing else in use, per pair:
//   pool/heap/SIZE     malloc and free
//   pool/pair/SIZE     alloc and destruction
//   pool/freeze/SIZE   the same with freeze() between
//   pool/acquire/SIZE  acquire (all zero) and destruction
//   pool/unpooled/SIZE  alloc and destruction of sizes that are not pooled
//   pool/share         a copy and a slice of a shared buffer, dropped
void register_pairs();

// Per buffer of 4 KiB; wall time as in bench_threads:
//   pool/heap/4KiB/Tt       the pair of malloc and free in T threads
//   pool/set/N/Tt           alloc of N buffers, destruction of all; the thread cache keeps N - 1
//   pool/heap_set/N/Tt      the same with malloc and free
//   pool/tenants/N/Tt       pairs whose tenant is one of N, in random order; 0: without tenant
void register_threads();

// Of 1 MiB:
//   pool/zeroed_fresh/1MiB   alloc_zeroed of memory never used, per buffer
//   pool/zeroed_fresh_pages  resident pages of such buffers, in all (counter `pages`)
//   pool/zeroed_reused/1MiB  alloc_zeroed of memory used before, and destruction
//   pool/heap_zeroed/1MiB    calloc and free
void register_zeroed();

// A pool, or the end of the program.
spillway::Pool make_pool(const spillway::PoolConfig& config);
// Ends the program, with what is wrong in one line.
[[noreturn]] void fail(const char* what);
// A buffer without memory, or one that was not pooled, makes a pool look fast, or slow: ends the
// program.
void check_all_pooled(const spillway::Pool& pool);

}  // namespace bench
