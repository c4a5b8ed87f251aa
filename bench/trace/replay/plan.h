// SPDX-License-Identifier: MIT
// A trace laid out for replaying, in a file in memory that the replaying process maps: reading it
// asks nothing of the allocator. One thread's steps follow each other.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bench/trace/format.h"

namespace bench::trace {

// Where blocks are: one slot per block, those that a thread makes side by side.
struct Step {
  std::uint64_t size;      // 1 at least
  std::uint64_t old_size;  // kRealloc, else 0
  std::uint32_t made;      // slots
  std::uint32_t ended;
  std::uint32_t position;  // in the trace
  Op op;
  std::uint8_t alignment_log2;
  std::uint8_t unused[2];
};
static_assert(sizeof(Step) == 32, "two in a cache line");

// What one process found; filled in by it.
struct Outcome {
  double first_ns;       // elapsed, the whole trace in a fresh process
  double again_ns;       // the same a second time, after all was freed
  double peak;           // resident bytes above those at the start, first time
  double faults;         // page faults, first time
  std::uint64_t failed;  // 1 + position of an event that got no memory; 0: none
};

class Plan {
 public:
  // The file's descriptor, which child processes inherit. Throws std::system_error.
  static int make(const Recording& recording);

  explicit Plan(int file);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  unsigned threads() const { return head().threads; }
  std::size_t slots() const { return head().slots; }
  std::span<const Step> steps(unsigned thread) const;
  Outcome& outcome() const { return head().outcome; }

 private:
  struct Head {
    std::uint32_t threads;
    std::uint32_t slots;
    std::uint32_t first[kMaxThreads + 1];  // step of each thread, and their number
    Outcome outcome;
  };

  Head& head() const { return *static_cast<Head*>(start_); }
  Step* all() const { return reinterpret_cast<Step*>(static_cast<char*>(start_) + kHeadBytes); }

  static constexpr std::size_t kHeadBytes = 4096;
  static_assert(sizeof(Head) <= kHeadBytes);

  void* start_;
  std::size_t bytes_;
};

}  // namespace bench::trace
