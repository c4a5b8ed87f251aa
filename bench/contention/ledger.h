// SPDX-License-Identifier: MIT
// What is counted, as the interpreter tells it: totals, and per instruction where they arise.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "bench/contention/coherence.h"

namespace bench::contention {

struct Counts {
  uint64_t instructions = 0;
  uint64_t rmw = 0;  // atomic read-modify-write instructions
  uint64_t fences = 0;
  uint64_t transfers = 0;
  uint64_t system_calls = 0;
};

class Ledger {
 public:
  // Until then the model learns and nothing is counted.
  void start_counting();

  void instruction() { totals_.instructions += counting_; }
  void rmw(uint64_t where);
  void fence(uint64_t where);
  void access(unsigned thread, uint64_t where, uint64_t address, uint64_t bytes, bool writes);
  // A system call, or, with `entered` false, a call of the library that stands for one.
  void system_call(uint64_t where, const std::string& name, bool entered = true);

  const Counts& totals() const { return totals_; }
  uint64_t shared_lines() const { return coherence_.shared_lines(); }
  const std::map<std::string, uint64_t>& calls() const { return calls_; }
  const std::unordered_map<uint64_t, Counts>& sites() const { return sites_; }

 private:
  bool counting_ = false;
  Counts totals_;
  Coherence coherence_;
  std::map<std::string, uint64_t> calls_;
  std::unordered_map<uint64_t, Counts> sites_;  // by the instruction's address
};

}  // namespace bench::contention
