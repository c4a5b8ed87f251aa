// SPDX-License-Identifier: MIT
// Turns at giving an engine's memory back to the kernel: one thread at a time, between two forks.
// Others are sent away at once or wait for a bounded time; a fork takes the turn at the next step.
//
// No lock; any thread, signal handlers and forked children included.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/owned_cell.h"

namespace spillway::core {

class PurgeTurns {
 public:
  // The one turn at a time, for a scope. Between two steps it may be given up for a fork.
  class Turn {
   public:
    explicit Turn(PurgeTurns& turns) : turns_(turns), held_(turns.enter()) {}
    ~Turn() {
      if (held_) {
        turns_.leave();
      }
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    bool held() const { return held_; }
    // Asks again: for a second at most (the turn may be this thread's own, interrupted by a
    // signal), and 20 ms for a fork (its handlers may wait for a lock that the caller holds).
    void wait();
    // False: a fork has it from here on, and the work ends.
    bool keep();

   private:
    PurgeTurns& turns_;
    bool held_;
  };

  // For fork(): no thread has a turn from the one to the other. Waits for the turn's current step,
  // 100 ms at most; what it had in hand is recovered in the child then (Engine::
  // recover_after_fork()). `who` tells the forking threads apart.
  void pause(const void* who);
  void resume(const void* who);
  // In the child, with or without the thread that had the turn.
  void resume_after_fork();
  // Set while a fork wants the turn: long steps end.
  const std::atomic<bool>& pausing() const { return pausing_; }

  // For a thread that finds nothing free: a turn may have had it in hand. False: none was under way
  // from when progress() gave `before` until now. Odd during a turn.
  uint64_t progress() const { return progress_.get_acquire(); }
  bool ran_since(uint64_t before) const {
    // acquire: pairs with the fence in enter(), by way of the freelist word that a turn emptied.
    std::atomic_thread_fence(std::memory_order_acquire);
    return before % 2 != 0 || progress_.get() != before;
  }
  // Whether the calling thread has the turn: a signal handler interrupted it.
  bool runs_here() const;

 private:
  bool enter();
  void leave();

  std::atomic<bool> running_{false};
  std::atomic<bool> pausing_{false};
  OwnedCell<const void*> paused_by_;  // holds running_, and is the only one to write this
  OwnedCell<uint64_t> progress_;      // likewise
  OwnedCell<uintptr_t> runner_;       // likewise; 0: no thread
};

}  // namespace spillway::core
