// SPDX-License-Identifier: MIT
// bench_pool: what a pool's buffers cost, beside malloc and free in the same process. Meant to run
// with libspillway.so preloaded: goals compare with the heap of the same project. Options:
// bench/rows/rows.h; rows: bench/pool/rows.h.

#include <cstdio>
#include <cstdlib>

#include "bench/loaded_allocator.h"
#include "bench/pool/rows.h"
#include "bench/rows/rows.h"

namespace bench {
namespace {

void register_rows() {
  if (const LoadedAllocator heap = loaded_allocator(); heap.name != "spillway") {
    std::fprintf(stderr,
                 "bench_pool: malloc is that of %s (%s), not Spillway's: for the goals, %s\n",
                 heap.name.c_str(), heap.file.c_str(), "preload libspillway.so");
  }
  register_pairs();
  register_threads();
  register_zeroed();
}

}  // namespace

void fail(const char* what) {
  std::fprintf(stderr, "bench_pool: %s\n", what);
  std::_Exit(1);
}

spillway::Pool make_pool(const spillway::PoolConfig& config) {
  auto pool = spillway::Pool::create(config);
  if (!pool) {
    fail(pool.error().c_str());
  }
  return std::move(*pool);
}

void check_all_pooled(const spillway::Pool& pool) {
  const spillway::PoolStatistics statistics = pool.statistics();
  if (statistics.unpooled != 0 || statistics.allocations == 0) {
    fail("a buffer was not the pool's");
  }
}

}  // namespace bench

int main(int argc, char** argv) { return bench::run_rows(argc, argv, bench::register_rows); }
