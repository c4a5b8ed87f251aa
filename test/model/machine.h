// SPDX-License-Identifier: MIT
// What executes: threads, their memory and the schedule. One at a time in the process.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "test/model/explore.h"
#include "test/model/places.h"
#include "test/model/schedule.h"
#include "test/model/threads.h"
#include "test/model/weak_memory.h"

namespace spillway::model {

// An access as it is reported; `pc` is where.
struct Event {
  uint64_t step;
  unsigned thread;
  const char* what;
  uintptr_t address;
  uint64_t value;
  uint32_t older;
  std::memory_order order;
  const void* pc;
};

class Machine {
 public:
  static Machine& get();

  // --- accesses, by threads of an execution or of none

  uint64_t load(uintptr_t address, unsigned size, std::memory_order order, const void* pc);
  void store(uintptr_t address, unsigned size, std::memory_order order, uint64_t value,
             const void* pc);
  // `change` makes the new value of the old one, which is returned.
  template <typename Change>
  uint64_t exchange(uintptr_t address, unsigned size, std::memory_order order, const char* what,
                    const void* pc, Change change);
  // Whether `expected` was there; it becomes what was.
  bool compare_exchange(uintptr_t address, unsigned size, std::memory_order success,
                        std::memory_order failure, uint64_t& expected, uint64_t value,
                        const void* pc);
  void fence(std::memory_order order, const void* pc);
  void plain(uintptr_t address, unsigned size, bool writes, const void* pc);

  // --- of the operating system

  void yield();
  void barrier_in_all_threads();
  uint64_t now_ns() const { return now_ns_; }
  void pass_time(uint64_t nanoseconds) { now_ns_ += nanoseconds; }
  // A world is made one second before its executions.
  void start_clock() { now_ns_ = kStartNs; }
  void lose_other_threads();
  unsigned thread() const { return threads_.current(); }

  [[noreturn]] void fail(const std::string& why);

  // --- explorations

  void begin_case(const Bounds& bounds);
  // From now on executions have so many surprises at most.
  void limit(unsigned preemptions, unsigned older_loads) {
    bounds_.preemptions = preemptions;
    bounds_.older_loads = older_loads;
  }
  Places& places() { return places_; }
  Schedule& schedule() { return schedule_; }
  // One execution. Why it ended badly, or nothing.
  const std::string& execute(const Case& one);
  void trace(bool on) { traced_ = on; }
  const std::vector<Event>& events() const { return events_; }

 private:
  static constexpr uint64_t kMaxSteps = 200'000;
  static constexpr uint64_t kStartNs = 1'000'000'000;
  static constexpr unsigned kFinishing = kMaxThreads;

  bool is_running() const { return threads_.current() < kMaxThreads; }
  // Of every access: null if the place is of no interest, or after the point at which the thread
  // may be interrupted.
  Place* enter(uintptr_t address, bool writes, bool point = true);
  void point();
  bool is_eligible(unsigned thread) const;
  // Another thread goes on, any that can, or, when none is left, what looks at the end. A thread
  // that waits is followed by the next one; by another only as a surprise.
  void change(bool waits);
  void pick_and_change(const unsigned* candidates, unsigned count, bool waits);
  void change_to(unsigned thread);
  void body(unsigned number);
  void judge(const Place& place, bool writes, bool atomic, const void* pc);
  void note(const char* what, uintptr_t address, uint64_t value, uint32_t older,
            std::memory_order order, const void* pc);
  uint32_t pick_older(const Place& place, std::memory_order order, uint64_t now);

  Bounds bounds_;
  const Case* case_ = nullptr;
  Places places_;
  WeakMemory memory_;
  Schedule schedule_;
  Threads threads_;
  std::string failure_;
  uint64_t step_ = 0;
  uint64_t writes_ = 0;
  uint64_t now_ns_ = 0;
  uint64_t idle_ns_ = 0;
  unsigned preemptions_ = 0;
  unsigned older_loads_ = 0;
  bool alive_[kMaxThreads + 1] = {};
  bool yielded_[kMaxThreads + 1] = {};
  uint64_t yielded_at_[kMaxThreads + 1] = {};
  bool moved_ = false;  // the current thread, since it was changed to
  bool lost_ = false;   // a thread is in the middle of what it did
  bool traced_ = false;
  std::vector<Event> events_;
};

uint64_t read_memory(uintptr_t address, unsigned size);
void write_memory(uintptr_t address, unsigned size, uint64_t value);

template <typename Change>
uint64_t Machine::exchange(uintptr_t address, unsigned size, std::memory_order order,
                           const char* what, const void* pc, Change change) {
  const Place* const place = enter(address, true);
  const uint64_t before = read_memory(address, size);
  const uint64_t mask = size == 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1;
  const uint64_t after = change(before) & mask;
  if (place != nullptr) {
    memory_.exchange(*place, threads_.current(), order, before, after);
    judge(*place, true, true, pc);
    note(what, address, after, 0, order, pc);
  }
  write_memory(address, size, after);
  return before;
}

}  // namespace spillway::model
