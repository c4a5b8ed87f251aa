// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "bench/pool/rows.h"
#include "bench/rows/rows.h"

namespace bench {
namespace {

using spillway::Buffer;
using spillway::Pool;
using spillway::PoolConfig;
using spillway::SharedBuffer;

constexpr size_t kSizes[] = {1 * kKiB,   4 * kKiB,   16 * kKiB, 64 * kKiB,
                             128 * kKiB, 256 * kKiB, 1 * kMiB,  8 * kMiB};
constexpr size_t kPoolMinSize = 768;
constexpr size_t kUnpooled[] = {512, 16 * kMiB};
constexpr size_t kAcquired[] = {4 * kKiB, 64 * kKiB};

// With the default cache, and a class for each of the sizes.
Pool pool_of_all_sizes() {
  return make_pool(PoolConfig()
                       .with_classes({std::begin(kSizes), std::end(kSizes)})
                       .with_pool_min_size(kPoolMinSize));
}

void empty(benchmark::State& state) {
  for ([[maybe_unused]] auto step : state) {
    void* block = &state;
    benchmark::DoNotOptimize(block);
  }
}

void heap_pair(benchmark::State& state, size_t size) {
  for ([[maybe_unused]] auto step : state) {
    void* block = std::malloc(size);
    benchmark::DoNotOptimize(block);
    std::free(block);
  }
}

void pool_pair(benchmark::State& state, size_t size) {
  Pool pool = pool_of_all_sizes();
  for ([[maybe_unused]] auto step : state) {
    Buffer buffer = pool.alloc(size);
    benchmark::DoNotOptimize(buffer.data());
  }
  check_all_pooled(pool);
}

void frozen_pair(benchmark::State& state, size_t size) {
  Pool pool = pool_of_all_sizes();
  for ([[maybe_unused]] auto step : state) {
    Buffer buffer = pool.alloc(size);
    benchmark::DoNotOptimize(buffer.data());
    const SharedBuffer shared = std::move(buffer).freeze();
    benchmark::DoNotOptimize(shared.data());
  }
  check_all_pooled(pool);
}

void acquired_pair(benchmark::State& state, size_t size) {
  Pool pool = pool_of_all_sizes();
  for ([[maybe_unused]] auto step : state) {
    Buffer buffer = pool.acquire(size);
    benchmark::DoNotOptimize(buffer.data());
  }
  check_all_pooled(pool);
}

void unpooled_pair(benchmark::State& state, size_t size) {
  Pool pool = pool_of_all_sizes();
  for ([[maybe_unused]] auto step : state) {
    Buffer buffer = pool.alloc(size);
    benchmark::DoNotOptimize(buffer.data());
  }
  const spillway::PoolStatistics statistics = pool.statistics();
  if (statistics.unpooled == 0 || statistics.unpooled != statistics.allocations) {
    fail("a buffer was the pool's");
  }
}

void share(benchmark::State& state) {
  Pool pool = pool_of_all_sizes();
  const SharedBuffer whole = pool.alloc_len(4 * kKiB).freeze();
  for ([[maybe_unused]] auto step : state) {
    const SharedBuffer copy = whole;
    const SharedBuffer part = copy.slice(64, 1024);
    benchmark::DoNotOptimize(part.data());
  }
  check_all_pooled(pool);
}

template <class Row, size_t count>
void for_sizes(const char* kind, const size_t (&sizes)[count], Row row) {
  for (const size_t size : sizes) {
    benchmark::RegisterBenchmark(("pool/" + std::string(kind) + "/" + size_name(size)).c_str(), row,
                                 size);
  }
}

}  // namespace

void register_pairs() {
  benchmark::RegisterBenchmark("pool/empty", empty);
  for_sizes("heap", kSizes, heap_pair);
  for_sizes("pair", kSizes, pool_pair);
  for_sizes("freeze", kSizes, frozen_pair);
  for_sizes("acquire", kAcquired, acquired_pair);
  for_sizes("heap", kUnpooled, heap_pair);
  for_sizes("unpooled", kUnpooled, unpooled_pair);
  benchmark::RegisterBenchmark("pool/share", share);
}

}  // namespace bench
