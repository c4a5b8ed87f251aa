// SPDX-License-Identifier: MIT
// Blocks of one size, a little more than a power of two as with a header in front of the data, or
// between two of them; all written in full, none freed. What rounding up and the allocator's own
// books make of it.

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "bench/memory/blocks.h"
#include "bench/memory/resident.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

template <std::size_t kSize>
void run(const Effort& effort, Notebook& notes) {
  const std::size_t count = std::max<std::size_t>(1, effort.one_size_bytes / kSize);
  const double before = resident_bytes();
  for (std::size_t i = 0; i < count; ++i) {
    std::memset(checked(std::malloc(kSize)), 0x5a, kSize);
  }
  notes.value("ratio", (resident_bytes() - before) / static_cast<double>(count * kSize));
  char name[24];
  std::snprintf(name, sizeof name, "one_size/%zu", kSize);
  notes.mark(name);
}

// The mark is the row's name.
std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row(trace.notes.back().name, "", trace.value("ratio"))};
}

template <std::size_t kSize>
constexpr Workload workload(const char* name) {
  return {.name = name, .run = run<kSize>, .rows = rows};
}

}  // namespace

const Workload kOneSize[kOneSizes] = {
    workload<4097>("one_size/4097"),     workload<4129>("one_size/4129"),
    workload<6000>("one_size/6000"),     workload<8225>("one_size/8225"),
    workload<16417>("one_size/16417"),   workload<32801>("one_size/32801"),
    workload<65569>("one_size/65569"),   workload<131105>("one_size/131105"),
    workload<262177>("one_size/262177"), workload<524321>("one_size/524321"),
};

}  // namespace bench
