// SPDX-License-Identifier: MIT
// Runs a small case under every schedule of its threads, within bounds. The case is made of the
// product's own functions, from the product's own sources: they are compiled with the compiler's
// instrumentation for ThreadSanitizer, whose entry points are ours (hooks.cc), so that each access
// to memory comes here first.
//
// A schedule says where a thread is interrupted for another (a preemption), which thread goes on
// when one ends or waits, and which loads see an older value than the newest. Most bugs need few
// preemptions: all schedules with none are run, then with one more, up to the bound (iterative
// context bounding, Musuvathi and Qadeer, PLDI 2007: CHESS). Values that a load may see follow from
// views, as in loom, CDSChecker and Kang et al., POPL 2017; that a sanitizer's instrumentation
// serves a model checker is tsan11rec's and C11Tester's idea.
//
// What it simulates of C++20's memory model: a relaxed store may become visible after later stores,
// and after later loads of its own thread; a load may see any value that coherence, happens-before
// and the order of sequentially consistent accesses and fences allow. Exchanges see the newest
// value. A barrier in all threads (membarrier) is a fence in each at a moment of its own. Plain
// accesses are checked for data races.
//
// What it can't see: a load that is delayed past a later store of its thread (but see hand_over(),
// which finds what would go wrong); a store that takes its place before one that came first; a
// compare_exchange_weak that fails without a reason; what the compiler moves past a signal fence;
// accesses of memcpy() and memset().
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>

#include "test/model/places.h"

namespace spillway::model {

struct Bounds {
  unsigned threads = 2;
  unsigned preemptions = 3;
  unsigned older_loads = 1;
  // Threads change at plain stores, too: for cases that fork.
  bool plain_stores = false;
};

// --- for the functions of a case

// Ends the execution: the schedule is one that must not be.
void require(bool condition, const char* what);
// Accesses to this memory are to be ordered by others, as if they were plain, although they are
// atomic and relaxed. For the constructor.
void hand_over(const void* start, size_t bytes, Handed how = Handed::kAll);
// fork(): from here on there is no other thread. What these did so far has happened.
void lose_other_threads();
// Which of the case's threads calls.
unsigned this_thread();
// Moves the clock that os::monotonic_ns() reads.
void pass_time(uint64_t nanoseconds);

// --- to run one

struct Case {
  std::string name;
  Bounds bounds;
  void* world;
  void (*thread)(void* world, unsigned number);
  void (*finish)(void* world);
};
// Zeroed memory for what the threads share; each execution finds it as it was when run() began.
void* new_world(size_t bytes);
// Reports the first schedule that ends badly to Boost.Test, and what happened in it. True: none.
bool run(const Case& one);
// Why the first such schedule ended badly, empty if none does: for cases that have to.
std::string failure(const Case& one);

// `World` has thread(number), finish(), which is called when all threads ended, and what they need;
// it uses no heap.
template <typename World>
Case make_case(const char* name, Bounds bounds) {
  auto* const world = ::new (new_world(sizeof(World))) World;
  return {name, bounds, world,
          [](void* self, unsigned number) { static_cast<World*>(self)->thread(number); },
          [](void* self) { static_cast<World*>(self)->finish(); }};
}
template <typename World>
bool explore(const char* name, Bounds bounds = {}) {
  return run(make_case<World>(name, bounds));
}
template <typename World>
std::string failure_of(Bounds bounds = {}) {
  return failure(make_case<World>("", bounds));
}

}  // namespace spillway::model
