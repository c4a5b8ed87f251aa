// SPDX-License-Identifier: MIT
// A gigabyte of live blocks, each replaced eight times on the average, then nothing live: what
// memory costs while it is used, and how much of it comes back. The peak is held against the most
// bytes that were ever asked for at once.

#include "bench/clock.h"
#include "bench/memory/live_blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kRounds = 8;
constexpr std::size_t kNoted = 64;  // one step in so many says how much is live

LiveBlocks<8192> live;  // 1 GB takes about 5300

void run(const Effort& effort, Notebook& notes) {
  RandomSizes random(1);
  const auto size = [&random] { return random.log_uniform(4 * kKiB, kMiB); };
  notes.mark("start");
  notes.live(0);
  live.fill(effort.live_bytes, size);
  for (std::size_t step = 0; step < kRounds * live.count; ++step) {
    if (step % kNoted == 0) {
      notes.live(live.bytes);
    }
    const std::size_t index = random.below(live.count);
    live.replace(index, size());
  }
  notes.live(live.bytes);
  live.remove_all();
  notes.live(0);
  notes.waiting();
  sleep_ms(effort.idle_ms);
  notes.mark("end");
  notes.value("max_bytes", static_cast<double>(live.max_bytes));
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  const double peak = trace.peak("start", "end");
  return {row("live/peak_ratio", "", peak / trace.value("max_bytes")),
          row("live/idle_share", "", trace.resident_at("end") / peak)};
}

}  // namespace

const Workload kLive{.name = "live", .run = run, .rows = rows};

}  // namespace bench
