// SPDX-License-Identifier: MIT
// How much of each workload is done: the only place that knows what a shorter run leaves out.
#pragma once

#include <cstddef>

namespace bench {

struct Effort {
  int repetitions;         // of what is timed, but churn
  int churns;              // of 1000 replacements each; a heap's first ones are not its usual ones
  int processes;           // fill
  int warm_up_processes;   // fill: before those that count
  std::size_t live_bytes;  // live and fill; burst a tenth, sawtooth, shift and drift a fifth
  std::size_t one_size_bytes;
  int thread_steps;        // threads16: replacements per thread
  int warm_up_requests;    // server
  int requests;            // server, measured
  int large_replacements;  // the first third of them untimed
  int bursts;              // back to back, measured
  int paused_bursts;       // after a pause, measured
  int teeth;               // sawtooth
  int drift_rounds;
  int sparse_blocks;
  int pin_part;    // what the large buffers are divided by
  int swing_part;  // what the number of swings is divided by
  int leak_steps;
  int max_threads;    // slope
  int idle_ms;        // from the last free until the memory that is left is read
  int short_idle_ms;  // the same for burst, and for shift after the last allocation
};

struct Length {
  const char* word;
  Effort effort;
};

// The goals hold for 1 GB and an idle time of 2 s.
inline constexpr Length kFull{"full",
                              {.repetitions = 5,
                               .churns = 20,
                               .processes = 3,
                               .warm_up_processes = 2,
                               .live_bytes = 1'000'000'000,
                               .one_size_bytes = 134'217'728,
                               .thread_steps = 20'000,
                               .warm_up_requests = 10,
                               .requests = 20,
                               .large_replacements = 300,
                               .bursts = 12,
                               .paused_bursts = 4,
                               .teeth = 8,
                               .drift_rounds = 60,
                               .sparse_blocks = 3000,
                               .pin_part = 1,
                               .swing_part = 1,
                               .leak_steps = 20'000,
                               .max_threads = 64,
                               .idle_ms = 2000,
                               .short_idle_ms = 1000}};

constexpr Effort shortened(Effort effort) {
  effort.repetitions = 3;
  effort.processes = 1;
  effort.warm_up_processes = 0;
  effort.thread_steps = 10'000;
  effort.requests = 15;
  effort.large_replacements = 50;
  effort.teeth = 3;
  effort.drift_rounds = 20;
  return effort;
}

inline constexpr Length kQuick{"quick", shortened(kFull.effort)};
inline constexpr Length kSmoke{"smoke",
                               {.repetitions = 2,
                                .churns = 4,
                                .processes = 1,
                                .warm_up_processes = 0,
                                .live_bytes = 20'000'000,
                                .one_size_bytes = 4'194'304,
                                .thread_steps = 50,
                                .warm_up_requests = 1,
                                .requests = 1,
                                .large_replacements = 5,
                                .bursts = 2,
                                .paused_bursts = 1,
                                .teeth = 20,
                                .drift_rounds = 10,
                                .sparse_blocks = 50,
                                .pin_part = 64,
                                .swing_part = 100,
                                .leak_steps = 500,
                                .max_threads = 2,
                                .idle_ms = 50,
                                .short_idle_ms = 50}};

inline constexpr const Length* kLengths[] = {&kFull, &kQuick, &kSmoke};

}  // namespace bench
