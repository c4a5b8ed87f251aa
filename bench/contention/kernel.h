// SPDX-License-Identifier: MIT
// The system calls that would block the one thread that executes all guests, and the clock:
// futexes, sleeping and telling the time are done here, every other call is the real one, and a
// thread that an allocator starts below the C library does not run. Time
// advances by what the guests execute, half a nanosecond per instruction of each: what an allocator
// does by the clock it does as often as at full speed.
#pragma once

#include <cstdint>
#include <span>

#include "bench/contention/clock.h"
#include "bench/contention/guest.h"

namespace bench::contention {

class Kernel {
 public:
  enum class Answer { kDone, kWaits, kYields, kReal };

  explicit Kernel(Clock& clock) : clock_(clock) {}
  void set_guests(std::span<Guest> guests) { guests_ = guests; }

  // The system call that `registers` of `guest` ask for; kReal: not one of ours. kDone and kYields:
  // the result is in rax; kWaits: it will be once guest.waiting is over.
  Answer call(Guest& guest, Registers& registers);

  const Clock& clock() const { return clock_; }
  void executed(uint64_t instructions);

  // Ends the wait of `guest` if its time has come or its futex's value is another: also a thread
  // that is no guest may have changed it.
  void look_again(Guest& guest);
  // When all wait: lets the time pass until the first of them, or really waits for others.
  void pass_time();

 private:
  Answer futex(Guest& guest, Registers& registers);
  Answer wait(Guest& guest, uint64_t address, uint32_t value, uint64_t until_ns);
  uint64_t wake(uint64_t address, uint64_t most);
  static void end_wait(Guest& guest, int64_t result);

  Clock& clock_;
  std::span<Guest> guests_;
  uint64_t waits_ = 0;
  uint64_t rest_ = 0;  // instructions that are not yet a nanosecond
  int pauses_ = 0;
};

}  // namespace bench::contention
