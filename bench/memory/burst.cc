// SPDX-License-Identifier: MIT
// A tenth of a gigabyte of blocks, all of them freed again, in bursts: some back to back, some
// after a pause, as a program that works now and then. What comes back to the kernel in between has
// to be faulted in again. The blocks are freed in the order in which they came.

#include "bench/clock.h"
#include "bench/memory/live_blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/watch.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr int kWarmUp = 3;  // bursts
constexpr int kPauseMs = 200;

LiveBlocks<2048> live;  // 100 MB takes about 530
std::size_t sizes[2048];

class Bursts {
 public:
  Bursts(std::size_t bytes, Notebook& notes) : bytes_(bytes), notes_(notes) {}

  // What one did at the top for that time is not counted. Returns ns per block.
  double one(int hold_ms) {
    const std::size_t count = draw();
    notes_.live(0);
    double start = now_ns();
    for (std::size_t i = 0; i < count; ++i) {
      live.add(sizes[i]);
    }
    double ns = now_ns() - start;
    notes_.live(live.bytes);
    sleep_ms(hold_ms);
    notes_.live(live.bytes);
    start = now_ns();
    live.remove_all();
    ns += now_ns() - start;
    notes_.live(0);
    return ns / static_cast<double>(count);
  }

 private:
  // How many blocks make up a burst; their sizes are in `sizes`.
  std::size_t draw() {
    std::size_t count = 0;
    for (std::size_t sum = 0; sum < bytes_ && count < std::size(sizes); sum += sizes[count++]) {
      sizes[count] = random_.log_uniform(4 * kKiB, kMiB);
    }
    return count;
  }

  const std::size_t bytes_;
  Notebook& notes_;
  RandomSizes random_{5};
};

void run(const Effort& effort, Notebook& notes) {
  Bursts bursts(effort.live_bytes / 10, notes);
  notes.mark("start");
  for (int i = 0; i < kWarmUp; ++i) {
    bursts.one(0);
  }
  for (int i = 0; i < effort.bursts; ++i) {
    notes.value("ns", bursts.one(0));
  }
  for (int i = 0; i < effort.paused_bursts; ++i) {
    sleep_ms(kPauseMs);
    notes.value("paused_ns", bursts.one(4 * kSampleInterval));
  }
  notes.waiting();
  sleep_ms(effort.short_idle_ms);
  notes.mark("end");
  notes.value("max_bytes", static_cast<double>(live.max_bytes));
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {
      row("burst/ns", "ns", trace.values("ns")),
      row("burst/paused_ns", "ns", trace.values("paused_ns")),
      row("burst/peak_ratio", "", trace.peak("start", "end") / trace.value("max_bytes")),
      row("burst/idle_mib", "MiB", trace.resident_at("end") / static_cast<double>(kMiB)),
  };
}

}  // namespace

const Workload kBurst{.name = "burst", .timed = true, .quick = false, .run = run, .rows = rows};

}  // namespace bench
