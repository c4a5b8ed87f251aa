// SPDX-License-Identifier: MIT
// Random replacement in a set of 64 blocks that are used in full; and whether the number of
// mappings of the process, which the kernel limits, stays what it is meanwhile.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kLive = 64;
constexpr std::size_t kSteps = 1000;  // per repetition

struct Step {
  std::size_t index;
  std::size_t size;
};

std::array<void*, kLive> blocks;
std::array<Step, kSteps> steps;

int mappings() {
  static char text[4096];
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  int lines = 0;
  for (ssize_t got = 0; (got = read(file, text, sizeof text)) > 0;) {
    lines += static_cast<int>(std::count(text, text + got, '\n'));
  }
  close(file);
  return lines;
}

// Returns ns per operation.
double repeat(RandomSizes& random) {
  for (Step& step : steps) {
    step = {random.below(kLive), random.log_uniform(64 * kKiB, kMiB)};
  }
  const double start = now_ns();
  for (const Step step : steps) {
    std::free(blocks[step.index]);
    blocks[step.index] = touched_block(step.size);
  }
  return (now_ns() - start) / kSteps;
}

void run(const Effort& effort, Notebook& notes) {
  RandomSizes random(3);
  for (void*& block : blocks) {
    block = touched_block(random.log_uniform(64 * kKiB, kMiB));
  }
  repeat(random);
  const int repetitions = effort.churns;
  int half = 0;
  int most = 0;
  for (int i = 0; i < repetitions; ++i) {
    if (i == repetitions / 2) {
      half = most = mappings();
    }
    notes.value("ns", repeat(random));
    if (i >= repetitions / 2) {
      most = std::max(most, mappings());
    }
  }
  notes.value("growth", most - half);
  free_all(blocks);
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row("churn/64K-1M", "ns", trace.values("ns")),
          row("churn/mappings", "", trace.value("growth"))};
}

}  // namespace

const Workload kChurn{.name = "churn/64K-1M", .timed = true, .run = run, .rows = rows};

}  // namespace bench
