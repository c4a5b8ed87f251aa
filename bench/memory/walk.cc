// SPDX-License-Identifier: MIT
// Equal blocks used in step: one line of each, then the next line of each. Blocks that all start at
// the same place in a page meet in a few sets of the first-level cache.

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kBlocks = 1000;
constexpr std::size_t kSize = 256 * kKiB;
constexpr std::size_t kLine = 64;
constexpr std::size_t kLines = 1024;  // the first 64 KiB of each block

void* blocks[kBlocks];

void walk() {
  for (std::size_t line = 0; line < kLines; ++line) {
    for (void* block : blocks) {
      auto* const words = static_cast<volatile std::uintptr_t*>(block);
      const std::size_t word = line * kLine / sizeof(std::uintptr_t);
      words[word] = words[word] + 1;
    }
  }
}

void run(const Effort& effort, Notebook& notes) {
  for (void*& block : blocks) {
    block = touched_block(kSize);
  }
  walk();
  for (int i = 0; i < effort.repetitions; ++i) {
    const double start = now_ns();
    walk();
    notes.value("ns", (now_ns() - start) / (kBlocks * kLines));
  }
  free_all(blocks);
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  return {row("walk/256KiB", "ns", traces.front().values("ns"))};
}

}  // namespace

const Workload kWalk{.name = "walk/256KiB", .timed = true, .run = run, .rows = rows};

}  // namespace bench
