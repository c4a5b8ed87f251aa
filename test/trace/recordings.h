// SPDX-License-Identifier: MIT
// Recordings for tests.
#pragma once

#include <random>

#include "bench/trace/format.h"

namespace bench::trace {

// What any program might do: `events` calls by `threads` threads on blocks of each other's.
inline Recording random_recording(std::size_t events, std::uint32_t threads, unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&random](std::uint64_t limit) { return random() % limit; };
  Recording recording{.program = "random", .threads = threads};
  std::vector<std::uint32_t> live;
  while (recording.events.size() < events) {
    Event event;
    event.thread = static_cast<std::uint16_t>(below(threads));
    event.op = static_cast<Op>(below(5));
    if (ends_block(event.op)) {
      if (live.empty()) {
        continue;
      }
      std::swap(live[below(live.size())], live.back());
      event.ended = live.back();
      live.pop_back();
    }
    if (makes_block(event.op)) {
      event.size = below(std::uint64_t{1} << below(20));
      event.made = recording.blocks++;
      live.push_back(event.made);
    }
    if (event.op == Op::kAligned) {
      event.alignment_log2 = static_cast<std::uint8_t>(kMinAlignmentLog2 + below(10));
    }
    recording.events.push_back(event);
  }
  return recording;
}

}  // namespace bench::trace
