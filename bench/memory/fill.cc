// SPDX-License-Identifier: MIT
// The first gigabyte of a fresh process, block after block. Page faults are most of it, and memory
// that a virtual machine has not used for a while first has to come from its host, which can take
// several times as long under any allocator: hence processes that come before those that count.

#include <algorithm>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kMax = 8192;  // 1 GB takes about 5300

std::size_t sizes[kMax];
void* blocks[kMax];

// How many blocks make up `bytes`; their sizes are in `sizes`.
std::size_t draw(std::size_t bytes) {
  RandomSizes random(2);
  std::size_t count = 0;
  for (std::size_t sum = 0; sum < bytes && count < kMax; sum += sizes[count++]) {
    sizes[count] = random.log_uniform(4 * kKiB, kMiB);
  }
  return count;
}

void run(const Effort& effort, Notebook& notes) {
  const std::size_t count = draw(effort.live_bytes);
  touch_pages(blocks, sizeof blocks);
  const double start = now_ns();
  for (std::size_t i = 0; i < count; ++i) {
    blocks[i] = touched_block(sizes[i]);
  }
  notes.value("ms", (now_ns() - start) / 1e6);
  free_all({blocks, count});
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  std::vector<double> times;
  for (const Trace& trace : traces) {
    times.push_back(trace.value("ms"));
  }
  const double slowest = *std::max_element(times.begin(), times.end());
  return {row("fill/ms", "ms", times), row("fill/spread", "", slowest / spread_of(times).median)};
}

}  // namespace

const Workload kFill{.name = "fill/1GB", .fresh = true, .timed = true, .run = run, .rows = rows};

}  // namespace bench
