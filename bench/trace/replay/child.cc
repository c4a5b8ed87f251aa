// SPDX-License-Identifier: MIT
#include "bench/trace/replay/child.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "bench/clock.h"
#include "bench/page_faults.h"
#include "bench/pinning.h"
#include "bench/trace/replay/memory.h"

namespace bench::trace {
namespace {

constexpr int kPlays = 2;
// A replay takes milliseconds to seconds; something is wrong with one that lasts.
constexpr unsigned kLongestSeconds = 300;

struct alignas(64) Times {
  double start[kPlays];
  double end[kPlays];
};

struct Crew {
  Crew(const Plan& plan, Touch touch) : player(plan, touch) {
    pthread_barrier_init(&barrier, nullptr, plan.threads());
  }

  void wait() { pthread_barrier_wait(&barrier); }

  void play(unsigned thread, int time) {
    wait();
    times[thread].start[time] = now_ns();
    player.play(thread);
    times[thread].end[time] = now_ns();
    wait();
  }

  Player player;
  pthread_barrier_t barrier;
  Times times[kMaxThreads];
};

double elapsed(const Crew& crew, unsigned threads, int time) {
  double start = crew.times[0].start[time];
  double end = crew.times[0].end[time];
  for (unsigned thread = 1; thread < threads; ++thread) {
    start = std::min(start, crew.times[thread].start[time]);
    end = std::max(end, crew.times[thread].end[time]);
  }
  return end - start;
}

void play_first(Crew& crew, Outcome& outcome) {
  crew.player.rewind();
  reset_peak();
  const double resident = resident_bytes();
  const double faults = page_faults();
  crew.play(0, 0);
  outcome.faults = page_faults() - faults;
  outcome.peak = std::max(0.0, peak_bytes() - resident);
  crew.player.sweep();
}

}  // namespace

void run_child(int file, Touch touch) {
  alarm(kLongestSeconds);
  const Plan plan(file);
  static Crew* crew = nullptr;
  alignas(Crew) static char place[sizeof(Crew)];  // touched before the clock starts
  crew = new (place) Crew(plan, touch);
  const unsigned threads = plan.threads();
  std::vector<std::thread> others;
  for (unsigned thread = 1; thread < threads; ++thread) {
    others.emplace_back([thread] {
      pin_to_core(static_cast<int>(thread));
      for (int time = 0; time < kPlays; ++time) {
        crew->play(thread, time);
      }
    });
  }
  // The program's first thread is the process's own: allocators treat it differently.
  pin_to_core(0);
  Outcome& outcome = plan.outcome();
  play_first(*crew, outcome);
  crew->player.rewind();
  crew->play(0, 1);
  crew->player.sweep();
  for (std::thread& other : others) {
    other.join();
  }
  outcome.first_ns = elapsed(*crew, threads, 0);
  outcome.again_ns = elapsed(*crew, threads, 1);
  outcome.failed = crew->player.failed();
}

}  // namespace bench::trace
