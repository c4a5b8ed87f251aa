// SPDX-License-Identifier: MIT
// Random replacement (bench/threads/replacement.h) in which every single call is timed. A step:
//   empty          two readings of the timer with nothing between: its own cost, and the machine's
//   free           of the old block
//   malloc         of the new one
//   malloc_touch   the same malloc, and a word written in every page of the block
// Every kind has as many samples as there are steps, so all meet the same interruptions; who takes
// longer meets more of them. Nothing is subtracted and nothing left out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "bench/latency/histogram.h"
#include "bench/latency/timer.h"
#include "bench/threads/crew.h"
#include "bench/threads/sequence.h"

namespace bench {

enum class Kind : std::uint8_t { kEmpty, kFree, kMalloc, kMallocTouch };
constexpr std::size_t kKinds = 4;
constexpr const char* kKindNames[kKinds] = {"empty", "free", "malloc", "malloc_touch"};

struct Latencies {
  std::array<Histogram, kKinds> by_kind;  // in ticks
  std::uint64_t switches;  // how often a thread lost its core although it wanted to go on
};

class TimedWork : public Work {
 public:
  // Of all threads since their first run(), which is the warm-up.
  virtual Latencies latencies() const = 0;
};

constexpr std::size_t kLatencyLive = 64;  // blocks per thread

// `tsc`: which of the timers.
std::unique_ptr<TimedWork> make_timed_replacement(int threads, SizeRange range, bool tsc);

}  // namespace bench
