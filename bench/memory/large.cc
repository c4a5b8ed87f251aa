// SPDX-License-Identifier: MIT
// Random replacement of buffers larger than any size class; then nothing live. Once written in
// full: mostly the time of the writing. Once with their pages touched: mostly the page faults where
// memory went back in between.

#include <algorithm>
#include <array>
#include <cstring>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kLive = 20;

struct Buffer {
  void* block;
  std::size_t size;
};

std::array<Buffer, kLive> buffers;

void* filled_block(std::size_t size) { return std::memset(checked(std::malloc(size)), 0x5a, size); }

class Churn {
 public:
  explicit Churn(void* (*make)(std::size_t size)) : make_(make) {}

  void fill() {
    for (Buffer& buffer : buffers) {
      put(buffer);
    }
  }

  void replace(int times) {
    for (int i = 0; i < times; ++i) {
      Buffer& buffer = buffers[random_.below(kLive)];
      std::free(buffer.block);
      bytes_ -= buffer.size;
      put(buffer);
    }
  }

  std::size_t max_bytes() const { return max_bytes_; }

 private:
  void put(Buffer& buffer) {
    buffer.size = random_.uniform(5 * kMiB, 25 * kMiB);
    buffer.block = make_(buffer.size);
    bytes_ += buffer.size;
    max_bytes_ = std::max(max_bytes_, bytes_);
  }

  void* (*const make_)(std::size_t size);
  RandomSizes random_{4};
  std::size_t bytes_ = 0;
  std::size_t max_bytes_ = 0;
};

template <void* (*kMake)(std::size_t size)>
void run(const Effort& effort, Notebook& notes) {
  Churn churn(kMake);
  churn.fill();
  const int untimed = effort.large_replacements / 3;
  const int timed = effort.large_replacements - untimed;
  churn.replace(untimed);
  const double start = now_ns();
  churn.replace(timed);
  notes.value("us", (now_ns() - start) / 1e3 / timed);
  for (const Buffer& buffer : buffers) {
    std::free(buffer.block);
  }
  notes.waiting();
  sleep_ms(effort.idle_ms);
  notes.mark("end");
  notes.value("max_bytes", static_cast<double>(churn.max_bytes()));
}

std::vector<Row> rows_filled(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row("large/5-25MiB", "us", trace.value("us")),
          row("large/idle_mib", "MiB", trace.resident_at("end") / static_cast<double>(kMiB))};
}

std::vector<Row> rows_touched(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row("large/touched", "us", trace.value("us")),
          row("large/left", "", trace.resident_at("end") / trace.value("max_bytes"))};
}

}  // namespace

const Workload kLarge{
    .name = "large/5-25MiB", .timed = true, .run = run<filled_block>, .rows = rows_filled};
const Workload kLargeTouched{
    .name = "large/touched", .timed = true, .run = run<touched_block>, .rows = rows_touched};

}  // namespace bench
