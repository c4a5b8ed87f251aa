// SPDX-License-Identifier: MIT
#include "alloc/core/purge_turns.h"

#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

namespace spillway::core {

bool PurgeTurns::enter() {
  bool idle = false;
  // acquire: pairs with the release in leave(). relaxed: a thread that sees a pause late is stopped
  // by running_.
  if (pausing_.load(std::memory_order_relaxed) ||
      !running_.compare_exchange_strong(idle, true, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
    return false;
  }
  runner_.set(os::this_thread());
  progress_.set(progress_.get() + 1);
  // release: pairs with the fence in ran_since().
  std::atomic_thread_fence(std::memory_order_release);
  return true;
}

bool PurgeTurns::runs_here() const { return runner_.get() == os::this_thread(); }

void PurgeTurns::leave() {
  runner_.set(0);
  // release: pairs with the acquire in progress(); what the turn had in hand is back.
  progress_.set_release(progress_.get() + 1);
  // release: pairs with the acquire in enter() and pause().
  running_.store(false, std::memory_order_release);
}

void PurgeTurns::Turn::wait() {
  if (held_) {
    return;
  }
  os::BoundedWait run(1'000'000'000);
  os::BoundedWait fork(20'000'000);
  while (!held_ && !turns_.runs_here()) {
    // relaxed: a look; enter() decides.
    os::BoundedWait& wait = turns_.pausing_.load(std::memory_order_relaxed) ? fork : run;
    if (!wait.pause()) {
      return;
    }
    held_ = turns_.enter();
  }
}

bool PurgeTurns::Turn::keep() {
  // relaxed: seen at the next step otherwise.
  if (held_ && turns_.pausing_.load(std::memory_order_relaxed)) {
    turns_.leave();
    held_ = false;
  }
  return held_;
}

void PurgeTurns::pause(const void* who) {
  // relaxed: the exchange below decides; a turn that has not begun stays away.
  pausing_.store(true, std::memory_order_relaxed);
  os::BoundedWait wait(100'000'000);
  do {
    bool idle = false;
    // acquire: as in enter().
    if (running_.compare_exchange_strong(idle, true, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
      paused_by_.set(who);
      return;
    }
  } while (!runs_here() && wait.pause());
}

void PurgeTurns::resume(const void* who) {
  const void* const holder = paused_by_.get();
  if (holder != nullptr && holder != who) {
    return;  // waited in vain: another thread's pause goes on
  }
  // relaxed: a thread that sees it late comes again.
  pausing_.store(false, std::memory_order_relaxed);
  if (holder == who) {
    paused_by_.set(nullptr);
    leave();
  }
}

void PurgeTurns::resume_after_fork() {
  // relaxed: the only thread there is.
  paused_by_.set(nullptr);
  pausing_.store(false, std::memory_order_relaxed);
  if (runs_here()) {
    return;  // in a signal handler that interrupted a turn, which goes on afterwards
  }
  runner_.set(0);
  progress_.set(progress_.get() + progress_.get() % 2);
  running_.store(false, std::memory_order_relaxed);
}

}  // namespace spillway::core
