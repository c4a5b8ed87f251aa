// SPDX-License-Identifier: MIT
// Does what a plan says, in as many threads. Nothing here allocates but the steps themselves.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "bench/trace/replay/plan.h"

namespace bench::trace {

// What is written of a block when it is made, or of its new part when it grows: nothing, its first
// word, or a word of each of its pages.
enum class Touch : std::uint8_t { kNone, kWord, kPages };

class Player {
 public:
  Player(const Plan& plan, Touch touch);
  ~Player();
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  // Before every play, with no thread in it.
  void rewind();

  // The thread's own steps, in their order; returns at their end. Each thread's call must be under
  // way before another one's can end: a step may need another thread's block.
  void play(unsigned thread);

  // Frees what the trace left live.
  void sweep();

  // 1 + position of a step that got no memory, which ends every thread's play; 0: none.
  std::uint64_t failed() const { return failed_.load(std::memory_order_acquire); }

 private:
  struct alignas(64) Lane {
    std::atomic<std::uint32_t> position;  // no step before it is still to be done
    std::uint32_t limit;                  // of its own position, as last looked at
  };

  bool keep_pace(unsigned thread, std::uint32_t position);
  void* wait_for(const std::atomic<void*>& slot, unsigned thread, std::uint32_t position);
  bool play_step(const Step& step, unsigned thread);
  std::uint32_t slowest() const;

  const Plan& plan_;
  const Touch touch_;
  std::atomic<void*>* slots_;
  std::atomic<std::uint64_t> failed_{0};
  Lane lanes_[kMaxThreads];
};

}  // namespace bench::trace
