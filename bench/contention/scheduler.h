// SPDX-License-Identifier: MIT
// Interleaves the guests' calls, deterministically: a guest chosen at random executes a random
// number of instructions, then another one does. As if each had a processor of its own, all equally
// fast.
#pragma once

#include <cstdint>
#include <random>
#include <span>

#include "bench/contention/guest.h"
#include "bench/contention/interpreter.h"
#include "bench/contention/kernel.h"
#include "bench/contention/workload.h"

namespace bench::contention {

class Scheduler {
 public:
  Scheduler(Workload& workload, std::span<Guest> guests, Interpreter& interpreter, Kernel& kernel,
            uint64_t seed);

  // Until so many more calls are over, of all guests together. Fails after an absurd number of
  // instructions.
  void run(uint64_t calls);

 private:
  void turn(Guest& guest);
  bool begin_call(Guest& guest);
  bool all_wait() const;

  Workload& workload_;
  const std::span<Guest> guests_;
  Interpreter& interpreter_;
  Kernel& kernel_;
  std::mt19937_64 random_;
  std::vector<Call> calls_;  // that guests are in
  uint64_t left_ = 0;
  uint64_t instructions_ = 0;
};

}  // namespace bench::contention
