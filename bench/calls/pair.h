// SPDX-License-Identifier: MIT
// The loop behind every row pair/SIZE.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>

namespace bench {

// malloc and free of one block of `size` bytes.
void pair(benchmark::State& state, std::size_t size);

}  // namespace bench
