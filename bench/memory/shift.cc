// SPDX-License-Identifier: MIT
// The sizes that a program uses shift: small blocks fill a fifth of a gigabyte, nine of ten are
// freed at random, larger ones take their place up to the same sum, and so once more. What the
// survivors of one phase keep the next from using stays resident.

#include "bench/clock.h"
#include "bench/memory/live_blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/watch.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kNoted = 64;  // one block in so many says how much is live

struct Phase {
  std::size_t smallest;
  std::size_t largest;
};

constexpr Phase kPhases[] = {{4 * kKiB, 16 * kKiB}, {64 * kKiB, 256 * kKiB}, {512 * kKiB, kMiB}};

LiveBlocks<32768> live;  // 200 MB of the smallest take about 22,600

void free_most(RandomSizes& random, Notebook& notes) {
  for (std::size_t i = live.count; i-- > 0;) {
    if (random.below(10) != 0) {
      live.remove(i);
    }
  }
  notes.live(live.bytes);
}

void run(const Effort& effort, Notebook& notes) {
  RandomSizes random(8);
  notes.mark("start");
  notes.live(0);
  for (const Phase& phase : kPhases) {
    free_most(random, notes);
    live.fill(effort.live_bytes / 5, [&] {
      if (live.count % kNoted == 0) {
        notes.live(live.bytes);
      }
      return random.log_uniform(phase.smallest, phase.largest);
    });
    notes.live(live.bytes);
  }
  notes.waiting();
  sleep_ms(effort.short_idle_ms);
  notes.live(live.bytes);
  notes.mark("end");
  notes.value("max_bytes", static_cast<double>(live.max_bytes));
  notes.value("end_bytes", static_cast<double>(live.bytes));
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row("shift/peak_ratio", "", trace.peak("start", "end") / trace.value("max_bytes")),
          row("shift/end_ratio", "", trace.resident_at("end") / trace.value("end_bytes"))};
}

}  // namespace

const Workload kShift{.name = "shift", .run = run, .rows = rows};

}  // namespace bench
