// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdlib>

#include "bench/calls/kinds.h"
#include "bench/sizes.h"

namespace bench {
namespace {

void aligned(benchmark::State& state, std::size_t alignment, std::size_t size) {
  for ([[maybe_unused]] auto step : state) {
    void* block = std::aligned_alloc(alignment, size);
    if (block == nullptr) {
      state.SkipWithError("aligned_alloc returned null");
      return;
    }
    benchmark::DoNotOptimize(block);
    std::free(block);
  }
}

}  // namespace

// Each size is a multiple of its alignment: some allocators refuse others, as C11 once let them.
void register_aligned() {
  struct Request {
    std::size_t alignment;
    std::size_t size;
  };
  constexpr Request kRequests[] = {
      {64, 4 * kKiB},         {64, 64 * kKiB},       {64, kMiB},
      {4 * kKiB, 4 * kKiB},   {4 * kKiB, 64 * kKiB}, {4 * kKiB, kMiB},
      {64 * kKiB, 64 * kKiB}, {64 * kKiB, kMiB},     {2 * kMiB, 2 * kMiB},
  };
  for (const auto& [alignment, size] : kRequests) {
    benchmark::RegisterBenchmark(
        ("aligned/" + size_name(alignment) + "/" + size_name(size)).c_str(), aligned, alignment,
        size);
  }
}

}  // namespace bench
