// SPDX-License-Identifier: MIT
// What one thread more costs: 1, 2, 4, ... threads, each of which has replaced its few blocks a
// thousand times, holds nothing and lives on. The line through resident memory over the number of
// threads leaves out what the process has once; stacks count.

#include <array>
#include <atomic>
#include <thread>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr int kMaxThreads = 64;
constexpr std::size_t kLive = 6;
constexpr int kSteps = 1000;
constexpr int kSettleMs = 100;  // from the last free of a step to its figure

std::atomic<int> idle_threads{0};
std::atomic<bool> ended{false};

void replace_blocks(int thread) {
  RandomSizes random(static_cast<std::uint64_t>(thread) + 1);
  const auto size = [&random] { return random.log_uniform(4 * kKiB, 64 * kKiB); };
  std::array<void*, kLive> blocks{};
  for (void*& block : blocks) {
    block = touched_block(size());
  }
  for (int step = 0; step < kSteps; ++step) {
    void*& block = blocks[random.below(kLive)];
    std::free(block);
    block = touched_block(size());
  }
  free_all(blocks);
}

void live_through(int thread) {
  replace_blocks(thread);
  // Both wake those who wait; no data goes with them but what is written once before a thread
  // starts.
  idle_threads.fetch_add(1, std::memory_order_relaxed);
  idle_threads.notify_one();
  ended.wait(false, std::memory_order_relaxed);
}

void wait_for_threads(int count) {
  for (int idle = 0; (idle = idle_threads.load(std::memory_order_relaxed)) < count;) {
    idle_threads.wait(idle, std::memory_order_relaxed);
  }
}

void run(const Effort& effort, Notebook& notes) {
  std::array<std::thread, kMaxThreads> threads;
  int started = 0;
  for (int count = 1; count <= effort.max_threads; count *= 2) {
    for (; started < count; ++started) {
      threads[static_cast<std::size_t>(started)] = std::thread(live_through, started);
    }
    wait_for_threads(count);
    sleep_ms(kSettleMs);
    notes.value("threads", count);
  }
  ended.store(true, std::memory_order_relaxed);
  ended.notify_all();
  for (int thread = 0; thread < started; ++thread) {
    threads[static_cast<std::size_t>(thread)].join();
  }
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  return {row("slope/kib_per_thread", "KiB",
              slope_of(traces.front().resident_over("threads")) / static_cast<double>(kKiB))};
}

}  // namespace

const Workload kSlope{.name = "slope", .run = run, .rows = rows};

}  // namespace bench
