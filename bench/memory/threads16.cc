// SPDX-License-Identifier: MIT
// Sixteen threads that replace their few blocks, free them and then sleep: what a thread keeps for
// itself. Memory is that of the process beyond what it had before the threads started, so the
// threads' stacks count, too.

#include <pthread.h>

#include <array>
#include <thread>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/watch.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr int kThreads = 16;
constexpr std::size_t kLive = 6;

// Everybody, the main thread too, meets here before, after the last free and at the end.
pthread_barrier_t meeting;

void replace_blocks(int thread, int steps) {
  RandomSizes random(static_cast<std::uint64_t>(thread) + 1);
  const auto size = [&random] { return random.log_uniform(96 * kKiB, 512 * kKiB); };
  std::array<void*, kLive> blocks{};
  for (void*& block : blocks) {
    block = touched_block(size());
  }
  for (int step = 0; step < steps; ++step) {
    void*& block = blocks[random.below(kLive)];
    std::free(block);
    block = touched_block(size());
  }
  free_all(blocks);
}

void run(const Effort& effort, Notebook& notes) {
  pthread_barrier_init(&meeting, nullptr, kThreads + 1);
  sleep_ms(4 * kSampleInterval);
  notes.mark("start");
  std::array<std::thread, kThreads> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads[static_cast<std::size_t>(thread)] = std::thread([thread, &effort] {
      pthread_barrier_wait(&meeting);
      replace_blocks(thread, effort.thread_steps);
      pthread_barrier_wait(&meeting);
      pthread_barrier_wait(&meeting);
    });
  }
  pthread_barrier_wait(&meeting);
  pthread_barrier_wait(&meeting);
  notes.waiting();
  sleep_ms(effort.idle_ms);
  notes.mark("end");
  pthread_barrier_wait(&meeting);
  for (std::thread& thread : threads) {
    thread.join();
  }
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  const double before = trace.resident_at("start");
  const auto per_thread = [before](double resident) {
    return (resident - before) / kThreads / static_cast<double>(kMiB);
  };
  return {row("threads16/peak_mib", "MiB", per_thread(trace.peak("start", "end"))),
          row("threads16/idle_mib", "MiB", per_thread(trace.resident_at("end")))};
}

}  // namespace

const Workload kThreads16{.name = "threads16", .run = run, .rows = rows};

}  // namespace bench
