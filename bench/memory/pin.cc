// SPDX-License-Identifier: MIT
// A load of large buffers, all freed; afterwards some small ones grow and stay. Where they lie in
// what the large ones left, they must not keep it resident; and each time the same happens again,
// only what is live may be added.

#include <array>
#include <cstring>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/resident.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kBuffers = 40;
constexpr std::size_t kLarge = 32 * kMiB;
constexpr std::size_t kFirst = 5000;
constexpr std::size_t kGrown = 16 * kKiB;
constexpr int kRounds = 5;

std::array<void*, kBuffers> buffers;

void load(std::size_t size) {
  for (void*& buffer : buffers) {
    buffer = std::memset(checked(std::malloc(size)), 1, size);
  }
  free_all(buffers);
}

void grow_and_stay() {
  for (std::size_t i = 0; i < kBuffers; ++i) {
    void* const first = checked(std::malloc(kFirst));
    std::memset(checked(std::realloc(first, kGrown)), 1, kGrown);
  }
}

void run(const Effort& effort, Notebook& notes) {
  for (int round = 0; round < kRounds; ++round) {
    load(kLarge / static_cast<std::size_t>(effort.pin_part));
    grow_and_stay();
    notes.value("mib", resident_bytes() / static_cast<double>(kMiB));
  }
  notes.waiting();
  sleep_ms(effort.idle_ms);
  notes.value("idle", resident_bytes() / static_cast<double>(kMiB));
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  const std::vector<double> mib = trace.values("mib");
  constexpr double kLiveMib = static_cast<double>((kRounds - 1) * kBuffers * kGrown) / kMiB;
  return {row("pin/mib", "MiB", mib.front()), row("pin/5_rounds_mib", "MiB", mib.back()),
          row("pin/growth_mib", "MiB", mib.back() - mib.front() - kLiveMib),
          row("pin/idle_mib", "MiB", trace.value("idle"))};
}

}  // namespace

const Workload kPin{.name = "pin", .run = run, .rows = rows};

}  // namespace bench
