// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "bench/pool/rows.h"

namespace bench {
namespace {

using spillway::Buffer;
using spillway::Pool;
using spillway::PoolConfig;

constexpr size_t kSize = kMiB;
constexpr size_t kFresh = 64;  // buffers of a pool of which none was used

Pool fresh_pool() {
  return make_pool(PoolConfig().with_classes({kSize}).with_max_per_class(2 * kFresh));
}

std::vector<Buffer> take_fresh(Pool& pool) {
  std::vector<Buffer> buffers;
  buffers.reserve(kFresh);
  for (size_t i = 0; i < kFresh; ++i) {
    buffers.push_back(pool.alloc_zeroed(kSize));
  }
  return buffers;
}

// Pages that lie in the buffer as a whole or in part and have memory; looking at them adds none.
size_t resident_pages(const Buffer& buffer) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const auto start = reinterpret_cast<uintptr_t>(buffer.data());
  const uintptr_t first = start / page * page;
  const size_t bytes = start + buffer.size() - first;
  std::vector<unsigned char> pages((bytes + page - 1) / page);
  if (mincore(reinterpret_cast<void*>(first), bytes, pages.data()) != 0) {
    fail("mincore was refused");
  }
  return static_cast<size_t>(
      std::count_if(pages.begin(), pages.end(), [](unsigned char one) { return (one & 1U) != 0; }));
}

bool is_zero(const Buffer& buffer) {
  return std::all_of(buffer.begin(), buffer.end(),
                     [](std::byte one) { return one == std::byte{}; });
}

void zeroed_fresh(benchmark::State& state) {
  for ([[maybe_unused]] auto step : state) {
    Pool pool = fresh_pool();
    const auto start = std::chrono::steady_clock::now();
    const std::vector<Buffer> buffers = take_fresh(pool);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(elapsed.count() / kFresh);
    check_all_pooled(pool);
  }
}

void zeroed_fresh_pages(benchmark::State& state) {
  size_t pages = 0;
  for ([[maybe_unused]] auto step : state) {
    Pool pool = fresh_pool();
    const std::vector<Buffer> buffers = take_fresh(pool);
    pages = 0;
    for (const Buffer& buffer : buffers) {
      pages += resident_pages(buffer);
    }
    if (!std::all_of(buffers.begin(), buffers.end(), is_zero)) {
      fail("alloc_zeroed gave bytes that are not zero");
    }
    check_all_pooled(pool);
  }
  state.counters["pages"] = static_cast<double>(pages);
}

void zeroed_reused(benchmark::State& state) {
  Pool pool = fresh_pool();
  for ([[maybe_unused]] auto step : state) {
    Buffer buffer = pool.alloc_zeroed(kSize);
    benchmark::DoNotOptimize(buffer.data());
    buffer[0] = std::byte{1};
  }
  check_all_pooled(pool);
}

void heap_zeroed(benchmark::State& state) {
  for ([[maybe_unused]] auto step : state) {
    void* block = std::calloc(1, kSize);
    benchmark::DoNotOptimize(block);
    *static_cast<char*>(block) = 1;
    std::free(block);
  }
}

}  // namespace

void register_zeroed() {
  benchmark::RegisterBenchmark("pool/zeroed_fresh/1MiB", zeroed_fresh)
      ->UseManualTime()
      ->Iterations(20);
  benchmark::RegisterBenchmark("pool/zeroed_fresh_pages", zeroed_fresh_pages)->Iterations(1);
  benchmark::RegisterBenchmark("pool/zeroed_reused/1MiB", zeroed_reused);
  benchmark::RegisterBenchmark("pool/heap_zeroed/1MiB", heap_zeroed);
}

}  // namespace bench
