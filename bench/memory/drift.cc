// SPDX-License-Identifier: MIT
// Sizes that drift: each round fills up to a fifth of a gigabyte with blocks of four of the eight
// octaves from 4 KiB to 1 MiB, those of the last round moved up by one, and frees seven of ten
// bytes at random. What one size leaves must serve the next, or the process grows; given back
// instead, it costs its page faults again.

#include <algorithm>

#include "bench/clock.h"
#include "bench/memory/live_blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/resident.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr int kOctaves = 8;
constexpr int kUsed = 4;  // octaves in a round
constexpr int kFillingUp =
    4;  // rounds until every octave has been used: their memory does not count

LiveBlocks<65536> live;  // 200 MB are at most about 20,000

void free_most(std::size_t limit, RandomSizes& random) {
  while (live.bytes > limit) {
    live.remove(random.below(live.count));
  }
}

void run(const Effort& effort, Notebook& notes) {
  const std::size_t limit = effort.live_bytes / 5;
  RandomSizes random(9);
  double worst = 0;
  const double start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (int round = 0; round < effort.drift_rounds; ++round) {
    live.fill(limit, [&random, round] {
      const int octave = (static_cast<int>(random.below(kUsed)) + round) % kOctaves;
      const std::size_t least = 4 * kKiB << octave;
      return random.uniform(least, 2 * least) + 1;
    });
    if (round >= kFillingUp) {
      worst = std::max(worst, resident_bytes() / static_cast<double>(live.bytes));
    }
    free_most(limit * 3 / 10, random);
  }
  notes.value("ms", (now_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / 1e6);
  notes.value("ratio", worst);
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row("drift/worst_ratio", "", trace.value("ratio")),
          row("drift/cpu_ms", "ms", trace.value("ms"))};
}

}  // namespace

const Workload kDrift{.name = "drift", .timed = true, .run = run, .rows = rows};

}  // namespace bench
