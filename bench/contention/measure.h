// SPDX-License-Identifier: MIT
// Counts one row, in a process of its own, and tells the process that started it by lines of text:
// "operations 12000", "counts ..." (the members of Counts), "call 3 futex", "site ...".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/contention/ledger.h"
#include "bench/contention/rows.h"

namespace bench::contention {

// Calls. What is counted is at least a few rounds of each thread's blocks.
struct Effort {
  uint64_t warm_up;  // of each thread, at full speed
  uint64_t counted;  // of all threads together; a quarter more come before
  uint64_t rounds;   // of each thread: its blocks allocated, or freed
};

struct Settings {
  Effort effort;
  uint64_t seed;
  unsigned cores;       // that the allocator is told of
  unsigned memory_gib;  // that it is told of
  unsigned sites;       // how many instructions to name for each thing that is counted
};

struct Site {
  Counts counts;
  std::string place;
};

struct Result {
  std::string name;
  unsigned threads = 0;
  std::string malloc_from;
  uint64_t operations = 0;
  Counts counts;
  uint64_t shared_lines = 0;
  std::map<std::string, uint64_t> calls;
  std::vector<Site> sites;
};

// From now on each process that measure() starts has the same addresses, as far as the allocator
// doesn't draw its own. False if the kernel refuses: counts may then differ from run to run.
bool fix_addresses();

// Starts this program again, under the same LD_PRELOAD, to count `row`. Ends the program with one
// line if that fails.
Result measure(const Row& row, const Settings& settings);

// The other side. Does not return if the command line is one that measure() wrote.
void count_if_asked_to(int argc, char** argv);

}  // namespace bench::contention
