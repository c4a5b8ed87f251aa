// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdlib>

#include "bench/calls/kinds.h"
#include "bench/calls/pair.h"
#include "bench/sizes.h"

namespace bench {

void register_edges() {
  constexpr std::size_t kEdges[] = {4 * kKiB - 1, 4 * kKiB + 1, kMiB - 1, kMiB + 1, 2 * kMiB};
  for (const std::size_t size : kEdges) {
    benchmark::RegisterBenchmark(("pair/" + size_name(size)).c_str(), pair, size);
  }
}

}  // namespace bench
