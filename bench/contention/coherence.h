// SPDX-License-Identifier: MIT
// Which cache lines threads hold, if every thread had a cache of its own without end: the model
// behind "transfers" and "shared lines". A line is modified in one cache or clean in any number, as
// in MESI; only the accesses that it is told of count, and what lies before the first is unknown.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace bench::contention {

class Coherence {
 public:
  static constexpr std::size_t kLineBytes = 64;
  static constexpr unsigned kMaxThreads = 256;

  // `thread` uses the line that holds `address`. True if the line had to come from another thread's
  // cache, or be taken from others': a read of a line that another thread wrote last, by a
  // thread that has not read it since, or a write to a line that others hold.
  bool access(unsigned thread, uint64_t address, bool writes);

  // Forgets who used what for shared_lines(), not who holds it.
  void start_counting();

  // Lines used by more than one thread since start_counting(), and written by at least one.
  uint64_t shared_lines() const;

 private:
  static constexpr int kNobody = -1;
  using Threads = std::bitset<kMaxThreads>;
  struct Line {
    Threads holders;
    Threads users;
    int last_writer = kNobody;
    bool written = false;
  };

  std::unordered_map<uint64_t, Line> lines_;
};

}  // namespace bench::contention
