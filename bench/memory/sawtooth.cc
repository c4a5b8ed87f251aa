// SPDX-License-Identifier: MIT
// What is live grows to a fifth of a gigabyte and shrinks to a tenth of that, again and again
// without a pause: memory that is kept for the next tooth is idle on the way down, memory that went
// back has to be faulted in on the way up. Three of four operations go in the tooth's direction,
// one against it; what is freed is chosen at random.

#include "bench/clock.h"
#include "bench/memory/live_blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kNoted = 64;  // one operation in so many says how much is live

LiveBlocks<4096> live;  // 200 MB takes about 1100

class Saw {
 public:
  Saw(std::size_t top, Notebook& notes) : top_(top), notes_(notes) {}

  void tooth() {
    while (live.bytes < top_ && !live.full()) {
      step(random_.below(4) != 0);
    }
    while (live.bytes > top_ / 10) {
      step(random_.below(4) == 0);
    }
  }

  double operations() const { return static_cast<double>(operations_); }

 private:
  void step(bool grow) {
    if (operations_++ % kNoted == 0) {
      notes_.live(live.bytes);
    }
    if (grow || live.count == 0) {
      live.add(random_.log_uniform(4 * kKiB, kMiB));
    } else {
      live.remove(random_.below(live.count));
    }
  }

  const std::size_t top_;
  Notebook& notes_;
  RandomSizes random_{6};
  std::size_t operations_ = 0;
};

void run(const Effort& effort, Notebook& notes) {
  Saw saw(effort.live_bytes / 5, notes);
  notes.mark("start");
  for (int tooth = 0; tooth < effort.teeth; ++tooth) {
    const double before = saw.operations();
    const double start = now_ns();
    saw.tooth();
    notes.value("ns", (now_ns() - start) / (saw.operations() - before));
  }
  notes.live(live.bytes);
  notes.mark("end");
  live.remove_all();
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {
      row("sawtooth/ns", "ns", trace.values("ns")),
      row("sawtooth/mean_ratio", "", trace.mean("start", "end") / trace.mean_live("start", "end"))};
}

}  // namespace

const Workload kSawtooth{.name = "sawtooth", .timed = true, .run = run, .rows = rows};

}  // namespace bench
