// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdlib>

#include "bench/calls/kinds.h"
#include "bench/sizes.h"
#include "bench/threads/blocks.h"

namespace bench {
namespace {

template <Use use>
void touched(benchmark::State& state, std::size_t size) {
  for ([[maybe_unused]] auto step : state) {
    void* block = std::malloc(size);
    benchmark::DoNotOptimize(block);
    write_block<use>(block, size);
    benchmark::ClobberMemory();
    std::free(block);
  }
}

}  // namespace

void register_touched() {
  constexpr std::size_t kSizes[] = {16 * kKiB, 64 * kKiB, 256 * kKiB, kMiB};
  for (const std::size_t size : kSizes) {
    benchmark::RegisterBenchmark(("pair_pages/" + size_name(size)).c_str(), touched<Use::kPages>,
                                 size);
  }
  for (const std::size_t size : kSizes) {
    benchmark::RegisterBenchmark(("pair_all/" + size_name(size)).c_str(), touched<Use::kAll>, size);
  }
}

}  // namespace bench
