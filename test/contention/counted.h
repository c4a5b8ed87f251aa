// SPDX-License-Identifier: MIT
// Functions executed by the interpreter, for the tests: with one argument each, by any number of
// threads, an instruction of each in turn.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <vector>

#include "bench/contention/clock.h"
#include "bench/contention/guest.h"
#include "bench/contention/interpreter.h"
#include "bench/contention/kernel.h"
#include "bench/contention/ledger.h"

namespace bench::contention {

struct Counted {
  using Function = uint64_t (*)(uint64_t);
  struct Task {
    Function function;
    uint64_t argument;
    uint64_t thread_base = pthread_self();  // x86-64: what fs points to
  };

  // What each returned. Counts from the first instruction on.
  std::vector<uint64_t> run(const std::vector<Task>& tasks) {
    std::vector<Guest> guests;
    guests.reserve(tasks.size());
    for (const Task& task : tasks) {
      Guest& guest = guests.emplace_back(static_cast<unsigned>(guests.size()), task.thread_base);
      interpreter.select(guest);
      interpreter.call(reinterpret_cast<uint64_t>(task.function), task.argument);
    }
    kernel.set_guests(guests);
    ledger.start_counting();
    std::vector<uint64_t> results(tasks.size());
    for (std::size_t left = tasks.size(); left > 0;) {
      for (Guest& guest : guests) {
        if (guest.waiting) {
          kernel.look_again(guest);
        } else if (guest.in_call) {
          interpreter.select(guest);
          const Step step = interpreter.step();
          kernel.executed(1);
          if (step == Step::kReturned) {
            results[guest.number] = interpreter.result();
            --left;
          }
        }
      }
    }
    kernel.set_guests({});
    interpreter.release();
    return results;
  }

  uint64_t call(Function function, uint64_t argument = 0) { return run({{function, argument}})[0]; }

  Clock clock;
  Ledger ledger;
  Kernel kernel{clock};
  Interpreter interpreter{ledger, kernel};
};

inline uint64_t address(const void* object) { return reinterpret_cast<uint64_t>(object); }

}  // namespace bench::contention
