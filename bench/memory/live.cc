// A gigabyte of live blocks, each replaced eight times on the average, then nothing live: what
// memory costs while it is used, and how much of it comes back. The peak is held against the most
// bytes that were ever asked for at once.

#include <algorithm>

#include "bench/memory/blocks.h"
#include "bench/memory/clock.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kMost = 8192;  // 1 GB takes about 5300
constexpr std::size_t kRounds = 8;

struct LiveBlocks {
  void* blocks[kMost];
  std::size_t sizes[kMost];
  std::size_t count;
  std::size_t bytes;
  std::size_t most_bytes;

  void put(std::size_t index, std::size_t size) {
    blocks[index] = touched_block(size);
    sizes[index] = size;
    bytes += size;
    most_bytes = std::max(most_bytes, bytes);
  }

  void take(std::size_t index) {
    bytes -= sizes[index];
    std::free(blocks[index]);
  }
};

LiveBlocks live;

void run(const Effort& effort, Notebook& notes) {
  RandomSizes random(1);
  const auto size = [&random] { return random.log_uniform(4 * kKiB, kMiB); };
  notes.mark("start");
  while (live.bytes < effort.live_bytes && live.count < kMost) {
    live.put(live.count++, size());
  }
  for (std::size_t step = 0; step < kRounds * live.count; ++step) {
    const std::size_t index = random.below(live.count);
    live.take(index);
    live.put(index, size());
  }
  free_all({live.blocks, live.count});
  sleep_ms(effort.idle_ms);
  notes.mark("end");
  notes.value("live_bytes", static_cast<double>(live.most_bytes));
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  const double peak = trace.peak("start", "end");
  return {row("live/peak_ratio", "", peak / trace.value("live_bytes")),
          row("live/idle_share", "", trace.resident_at("end") / peak)};
}

}  // namespace

const Workload kLive{"live", false, run, rows};

}  // namespace bench
