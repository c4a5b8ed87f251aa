// How much of each workload is done: the only place that knows what a shorter run leaves out.
#pragma once

#include <cstddef>

namespace bench {

struct Effort {
  int repetitions;         // of what is timed; for fill, processes
  std::size_t live_bytes;  // live and fill
  int thread_steps;        // threads16: replacements per thread
  int warm_up_requests;    // server
  int requests;            // server, measured
  int large_replacements;
  int idle_ms;  // from the last free until the memory that is left is read
};

// The goals hold for an idle time of 2 s.
inline constexpr Effort kFull{10, 1'000'000'000, 20'000, 10, 40, 2000, 2000};
inline constexpr Effort kQuick{4, 1'000'000'000, 20'000, 10, 10, 200, 2000};
inline constexpr Effort kSmoke{2, 20'000'000, 50, 1, 2, 20, 50};

}  // namespace bench
