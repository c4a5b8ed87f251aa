// SPDX-License-Identifier: MIT
// One block that grows from 4 KiB by half its size again and again; each new page is written, once.
// A repetition is the whole ladder, from malloc to free. Nothing else is live.

#include <algorithm>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr int kWarmUp = 2;  // ladders

void climb(std::size_t top) {
  std::size_t size = kPage;
  void* block = touched_block(size);
  while (size < top) {
    const std::size_t grown = std::min(top, size + size / 2);
    block = checked(std::realloc(block, grown));
    touch_pages(block, grown, size / kPage * kPage);
    size = grown;
  }
  std::free(block);
}

void run(int ladders, std::size_t top, Notebook& notes) {
  for (int i = 0; i < kWarmUp; ++i) {
    climb(top);
  }
  for (int i = 0; i < ladders; ++i) {
    const double start = now_ns();
    climb(top);
    const double end = now_ns();
    notes.value("us", (end - start) / 1e3);
  }
}

void run_1(const Effort& effort, Notebook& notes) { run(20 * effort.repetitions, kMiB, notes); }

void run_32(const Effort& effort, Notebook& notes) {
  run(3 * effort.repetitions, 32 * kMiB, notes);
}

std::vector<Row> rows_1(const std::vector<Trace>& traces) {
  return {row("realloc/1MiB", "us", traces.front().values("us"))};
}

std::vector<Row> rows_32(const std::vector<Trace>& traces) {
  return {row("realloc/32MiB", "us", traces.front().values("us"))};
}

}  // namespace

const Workload kReallocMiB{.name = "realloc/1MiB", .timed = true, .run = run_1, .rows = rows_1};
const Workload kRealloc32MiB{
    .name = "realloc/32MiB", .timed = true, .run = run_32, .rows = rows_32};

}  // namespace bench
