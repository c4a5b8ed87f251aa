// Random replacement of buffers larger than any size class, each written in full; then nothing
// live. Mostly the time of the writing, and of the page faults where memory went back in between.

#include <array>
#include <cstring>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kLive = 20;

std::array<void*, kLive> buffers;

void* written_buffer(RandomSizes& random) {
  const std::size_t size = random.uniform(5 * kMiB, 25 * kMiB);
  return std::memset(checked(std::malloc(size)), 0x5a, size);
}

void run(const Effort& effort, Notebook& notes) {
  RandomSizes random(4);
  for (void*& buffer : buffers) {
    buffer = written_buffer(random);
  }
  const auto replace = [&random](int times) {
    for (int i = 0; i < times; ++i) {
      void*& buffer = buffers[random.below(kLive)];
      std::free(buffer);
      buffer = written_buffer(random);
    }
  };
  const int untimed = effort.large_replacements / 3;
  const int timed = effort.large_replacements - untimed;
  replace(untimed);
  const double start = now_ns();
  replace(timed);
  notes.value("us", (now_ns() - start) / 1e3 / timed);
  free_all(buffers);
  notes.waiting();
  sleep_ms(effort.idle_ms);
  notes.mark("end");
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row("large/5-25MiB", "us", trace.value("us")),
          row("large/idle_mib", "MiB", trace.resident_at("end") / static_cast<double>(kMiB))};
}

}  // namespace

const Workload kLarge{.name = "large/5-25MiB", .timed = true, .run = run, .rows = rows};

}  // namespace bench
