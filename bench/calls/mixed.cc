// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <vector>

#include "bench/calls/kinds.h"
#include "bench/sizes.h"
#include "bench/threads/blocks.h"
#include "bench/threads/sequence.h"

namespace bench {
namespace {

constexpr std::size_t kLive = 256;

const std::vector<Step>& sequence() {
  static const std::vector<Step> steps = [] {
    std::vector<Step> mixture = make_sequence(1, kLive, {16, 2 * kKiB});
    const std::vector<Step> pooled = make_sequence(2, kLive, {4 * kKiB, kMiB});
    const std::vector<Step> dice = make_sequence(3, 10, {1, 1});
    for (std::size_t i = 0; i < mixture.size(); ++i) {
      if (dice[i].index() == 0) {
        mixture[i] = pooled[i];
      }
    }
    return mixture;
  }();
  return steps;
}

template <class Blocks>
void mixed(benchmark::State& state) {
  const Step* const steps = sequence().data();
  std::array<void*, kLive> blocks;
  for (std::size_t i = 0; i < kLive; ++i) {
    blocks[i] = Blocks::get(steps[kSequenceLength - 1 - i].size());
  }
  std::size_t position = 0;
  for ([[maybe_unused]] auto unused : state) {
    const Step step = steps[position++ % kSequenceLength];
    void*& block = blocks[step.index()];
    Blocks::put(block);
    block = Blocks::get(step.size());
  }
  for (void* block : blocks) {
    Blocks::put(block);
  }
}

}  // namespace

void register_mixed() {
  benchmark::RegisterBenchmark("empty/mixed", mixed<NoBlocks>);
  benchmark::RegisterBenchmark("mixed/small", mixed<LoadedBlocks>);
}

}  // namespace bench
