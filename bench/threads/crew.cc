// SPDX-License-Identifier: MIT
#include "bench/threads/crew.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "bench/clock.h"
#include "bench/machine.h"
#include "bench/page_faults.h"
#include "bench/pinning.h"

namespace bench {
namespace {

// Repetitions end early once they have taken so many times what they should.
constexpr double kPatience = 2;

// How long the calling thread has been ready to run without running, in ns.
class QueueClock {
 public:
  QueueClock() : file_(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
  ~QueueClock() { close(file_); }
  QueueClock(const QueueClock&) = delete;
  QueueClock& operator=(const QueueClock&) = delete;

  double now() const {
    char text[96] = {};
    double queued = 0;
    if (pread(file_, text, sizeof text - 1, 0) <= 0 || std::sscanf(text, "%*s %lf", &queued) != 1) {
      return 0;
    }
    return queued;
  }

 private:
  const int file_;
};

// Sleeps in the kernel at once: a spinning waiter would take a core from the workload.
class Barrier {
 public:
  explicit Barrier(int threads) {
    pthread_barrier_init(&barrier_, nullptr, static_cast<unsigned>(threads));
  }
  ~Barrier() { pthread_barrier_destroy(&barrier_); }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  void wait() { pthread_barrier_wait(&barrier_); }

 private:
  pthread_barrier_t barrier_;
};

struct alignas(64) Share {
  double start;
  double end;
  double cpu;
  double queued;
  std::uint64_t operations;
};

Sample combine(const std::vector<Share>& shares, const Work& work, double faults) {
  double start = shares[0].start;
  double end = shares[0].end;
  double cpu = 0;
  double queued = 0;
  double operations = 0;
  for (const Share& share : shares) {
    start = std::min(start, share.start);
    end = std::max(end, share.end);
    cpu += share.cpu;
    queued = std::max(queued, share.queued / (share.end - share.start));
    operations += static_cast<double>(share.operations);
  }
  operations = std::max(operations, 1.0);
  const int cores = usable_cores();
  if (static_cast<int>(shares.size()) > cores || work.queues()) {
    queued = 0;
  }
  return {(end - start) * std::min(work.lanes(), cores) / operations, cpu / operations,
          faults / operations, queued};
}

}  // namespace

std::vector<Sample> run_crew(Work& work, Effort effort) {
  const int threads = work.threads();
  Barrier barrier(threads + 1);
  std::atomic<bool> stop{false};
  std::atomic<bool> last{false};
  std::vector<Share> shares(static_cast<std::size_t>(threads));
  std::vector<Sample> samples;
  samples.reserve(static_cast<std::size_t>(effort.repetitions));

  const auto member = [&](int thread) {
    Share& share = shares[static_cast<std::size_t>(thread)];
    pin_to_core(thread);
    const QueueClock queue;
    work.prepare(thread);
    for (bool done = false; !done;) {
      barrier.wait();
      done = last.load(std::memory_order_relaxed);
      const double queued = queue.now();
      const double cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
      share.start = now_ns();
      share.operations = work.run(thread, stop);
      share.end = now_ns();
      share.cpu = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
      share.queued = queue.now() - queued;
      barrier.wait();
    }
    work.finish(thread);
  };
  std::vector<std::thread> crew;
  crew.reserve(static_cast<std::size_t>(threads));
  for (int thread = 0; thread < threads; ++thread) {
    crew.emplace_back(member, thread);
  }
  const auto repeat = [&](bool is_last) {
    // The barriers order these relaxed stores and the shares between the threads and this one.
    last.store(is_last, std::memory_order_relaxed);
    stop.store(false, std::memory_order_relaxed);
    const double faults = page_faults();
    barrier.wait();
    std::this_thread::sleep_for(std::chrono::milliseconds(effort.milliseconds));
    stop.store(true, std::memory_order_relaxed);
    barrier.wait();
    return combine(shares, work, page_faults() - faults);
  };
  repeat(false);
  const std::size_t most = static_cast<std::size_t>(effort.repetitions);
  const double patience = now_ns() + kPatience * 1e6 * effort.repetitions * effort.milliseconds;
  for (bool done = false; !done;) {
    const std::size_t count = samples.size() + 1;
    done = count >= most || (count >= kFewest && now_ns() > patience);
    samples.push_back(repeat(done));
  }
  for (std::thread& member_thread : crew) {
    member_thread.join();
  }
  return samples;
}

}  // namespace bench
