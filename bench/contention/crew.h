// SPDX-License-Identifier: MIT
// The threads whose calls are counted. They warm up at full speed, one at a time and in turn, so
// that the allocator is in the same state each time; then they sleep until the process ends, and
// the interpreter makes their calls for them.
#pragma once

#include <cstdint>
#include <deque>
#include <semaphore>

#include "bench/contention/clock.h"
#include "bench/contention/workload.h"

namespace bench::contention {

class Crew {
 public:
  // The threads live as long as the process, and `workload` has to.
  Crew(Workload& workload, unsigned threads);

  // Every thread makes so many calls, `turn` at a time. They take 100 ns each by `clock`.
  void warm_up(uint64_t calls, uint64_t turn, Clock& clock);

  // What fs holds in a thread.
  uint64_t thread_base(unsigned thread) const { return members_[thread].thread_base; }

 private:
  struct Member {
    std::binary_semaphore begin{0};
    Crew* crew = nullptr;
    unsigned number = 0;
    uint64_t thread_base = 0;
  };
  // No std::thread: the body has to be of this program (surroundings.h).
  static void* enter(void* member);
  [[noreturn]] void live(Member& member);
  void make_calls(unsigned thread, uint64_t calls);

  Workload& workload_;
  std::deque<Member> members_;
  std::binary_semaphore over_{0};
  uint64_t turn_ = 0;
};

}  // namespace bench::contention
