// SPDX-License-Identifier: MIT
#include "bench/contention/scheduler.h"

#include <algorithm>
#include <cstdlib>

#include "bench/contention/fail.h"

namespace bench::contention {
namespace {

constexpr uint64_t kLongestTurn = 32;       // instructions
constexpr uint64_t kMaxPerCall = 20'000;    // on the average: far above any allocator's
constexpr uint64_t kMaxAtAll = 50'000'000;  // for few calls

}  // namespace

Scheduler::Scheduler(Workload& workload, std::span<Guest> guests, Interpreter& interpreter,
                     Kernel& kernel, uint64_t seed)
    : workload_(workload),
      guests_(guests),
      interpreter_(interpreter),
      kernel_(kernel),
      random_(seed),
      calls_(guests.size()) {}

void Scheduler::run(uint64_t calls) {
  left_ = calls;
  instructions_ = 0;
  const uint64_t most = std::max(kMaxAtAll, calls * kMaxPerCall);
  while (left_ > 0) {
    Guest& guest = guests_[random_() % guests_.size()];
    if (guest.waiting) {
      kernel_.look_again(guest);
      if (guest.waiting && all_wait()) {
        kernel_.pass_time();
      }
      continue;
    }
    turn(guest);
    if (instructions_ > most) {
      fail("given up after " + std::to_string(instructions_) + " instructions with " +
           std::to_string(left_) + " of " + std::to_string(calls) + " calls to go");
    }
  }
}

bool Scheduler::all_wait() const {
  return std::all_of(guests_.begin(), guests_.end(),
                     [](const Guest& guest) { return guest.waiting; });
}

bool Scheduler::begin_call(Guest& guest) {
  const auto call = workload_.next(guest.number);
  if (!call) {
    return false;
  }
  calls_[guest.number] = *call;
  interpreter_.call(call->frees ? reinterpret_cast<uint64_t>(&std::free)
                                : reinterpret_cast<uint64_t>(&std::malloc),
                    call->argument);
  return true;
}

void Scheduler::turn(Guest& guest) {
  interpreter_.select(guest);
  const uint64_t most = 1 + random_() % kLongestTurn;
  uint64_t made = 0;
  for (Step step = Step::kWent; step == Step::kWent && made < most && left_ > 0;) {
    if (!guest.in_call && !begin_call(guest)) {
      ++made;  // a guest that waits for another's call lets the time pass
      break;
    }
    step = interpreter_.step();
    ++made;
    if (step == Step::kReturned) {
      const Call& call = calls_[guest.number];
      const uint64_t result = interpreter_.result();
      if (!call.frees && result == 0) {
        fail("out of memory");
      }
      workload_.done(guest.number, call, result);
      --left_;
      step = Step::kWent;
    }
  }
  instructions_ += made;
  kernel_.executed(made);
}

}  // namespace bench::contention
