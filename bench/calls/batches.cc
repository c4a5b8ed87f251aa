// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <string>

#include "bench/calls/kinds.h"
#include "bench/sizes.h"
#include "bench/threads/blocks.h"

namespace bench {
namespace {

constexpr std::size_t kBlocks = 64;

enum class Order { kLastFirst, kFirstFirst };

template <class Blocks, Order order>
void batch(benchmark::State& state, std::size_t size) {
  std::array<void*, kBlocks> blocks;
  while (state.KeepRunningBatch(kBlocks)) {
    for (void*& block : blocks) {
      block = Blocks::get(size);
    }
    benchmark::DoNotOptimize(blocks.data());
    for (std::size_t i = 0; i < kBlocks; ++i) {
      Blocks::put(blocks[order == Order::kLastFirst ? kBlocks - 1 - i : i]);
    }
  }
}

}  // namespace

void register_batches() {
  constexpr std::size_t kSizes[] = {4 * kKiB, 64 * kKiB, 256 * kKiB};
  const std::string count = "/" + std::to_string(kBlocks);
  benchmark::RegisterBenchmark(("empty/batch" + count).c_str(), batch<NoBlocks, Order::kLastFirst>,
                               0);
  for (const std::size_t size : kSizes) {
    benchmark::RegisterBenchmark(("lifo" + count + "/" + size_name(size)).c_str(),
                                 batch<LoadedBlocks, Order::kLastFirst>, size);
  }
  for (const std::size_t size : kSizes) {
    benchmark::RegisterBenchmark(("fifo" + count + "/" + size_name(size)).c_str(),
                                 batch<LoadedBlocks, Order::kFirstFirst>, size);
  }
}

}  // namespace bench
