// SPDX-License-Identifier: MIT
// A slow leak: 256 blocks are replaced at random, and one in fifty of those replaced is never
// freed. The leaked blocks, of all sizes, lie among the others; what is held against them is the
// memory that the process has at the end.

#include "bench/clock.h"
#include "bench/memory/live_blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/watch.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kLive = 256;
constexpr int kLeaked = 50;  // one block in so many
constexpr int kNoted = 64;   // one step in so many says how much is live

LiveBlocks<kLive> live;

void run(const Effort& effort, Notebook& notes) {
  RandomSizes random(7);
  const auto size = [&random] { return random.log_uniform(4 * kKiB, kMiB); };
  while (!live.full()) {
    live.add(size());
  }
  for (int step = 0; step < effort.leak_steps; ++step) {
    if (step % kNoted == 0) {
      notes.live(live.bytes);
    }
    const std::size_t index = random.below(kLive);
    if (step % kLeaked == 0) {
      live.leak(index, size());
    } else {
      live.replace(index, size());
    }
  }
  notes.live(live.bytes);
  sleep_ms(4 * kSampleInterval);
  notes.live(live.bytes);
  notes.mark("end");
  notes.value("end_bytes", static_cast<double>(live.bytes));
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row("leak/end_ratio", "", trace.resident_at("end") / trace.value("end_bytes"))};
}

}  // namespace

const Workload kLeak{.name = "leak", .run = run, .rows = rows};

}  // namespace bench
