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
void zeroed(benchmark::State& state, std::size_t size) {
  for ([[maybe_unused]] auto step : state) {
    void* block = std::calloc(1, size);
    benchmark::DoNotOptimize(block);
    write_block<use>(block, size);
    std::free(block);
  }
}

}  // namespace

void register_zeroed() {
  constexpr std::size_t kSizes[] = {4 * kKiB, 64 * kKiB, kMiB};
  for (const std::size_t size : kSizes) {
    benchmark::RegisterBenchmark(("zeroed/" + size_name(size)).c_str(), zeroed<Use::kNone>, size);
  }
  for (const std::size_t size : kSizes) {
    benchmark::RegisterBenchmark(("zeroed_word/" + size_name(size)).c_str(),
                                 zeroed<Use::kFirstWord>, size);
  }
  for (const std::size_t size : kSizes) {
    benchmark::RegisterBenchmark(("zeroed_pages/" + size_name(size)).c_str(), zeroed<Use::kPages>,
                                 size);
  }
}

}  // namespace bench
