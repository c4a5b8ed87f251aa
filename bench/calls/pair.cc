// SPDX-License-Identifier: MIT
#include "bench/calls/pair.h"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "bench/calls/kinds.h"
#include "bench/sizes.h"

namespace bench {
namespace {

constexpr std::size_t kSizes[] = {16,        32,         64,         128,        256,
                                  512,       1 * kKiB,   4 * kKiB,   16 * kKiB,  40 * kKiB,
                                  64 * kKiB, 256 * kKiB, 600 * kKiB, 1024 * kKiB};
constexpr std::size_t kTouched[] = {4 * kKiB, 64 * kKiB, 1024 * kKiB};

// "16B", "40KiB", "1024KiB": no MiB in these rows' names.
std::string in_kib(std::size_t size) {
  return size < kKiB ? std::to_string(size) + "B" : std::to_string(size / kKiB) + "KiB";
}

// What the other rows cost without their two calls: the loop, and a pointer forced into a register.
void empty(benchmark::State& state, std::size_t size) {
  for ([[maybe_unused]] auto step : state) {
    void* block = &size;
    benchmark::DoNotOptimize(block);
  }
}

void pair_word(benchmark::State& state, std::size_t size) {
  for ([[maybe_unused]] auto step : state) {
    void* block = std::malloc(size);
    benchmark::DoNotOptimize(block);
    *static_cast<volatile std::uintptr_t*>(block) = size;
    std::free(block);
  }
}

}  // namespace

void pair(benchmark::State& state, std::size_t size) {
  for ([[maybe_unused]] auto step : state) {
    void* block = std::malloc(size);
    benchmark::DoNotOptimize(block);
    std::free(block);
  }
}

void register_pairs() {
  benchmark::RegisterBenchmark("empty/pair", empty, 0);
  for (const std::size_t size : kSizes) {
    benchmark::RegisterBenchmark(("pair/" + in_kib(size)).c_str(), pair, size);
  }
  for (const std::size_t size : kTouched) {
    benchmark::RegisterBenchmark(("pair_word/" + in_kib(size)).c_str(), pair_word, size);
  }
}

}  // namespace bench
