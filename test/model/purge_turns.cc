// SPDX-License-Identifier: MIT
// One thread at a time has the turn, a fork waits for its step, and a thread that finds nothing
// free learns when a turn had it in hand.
#include "alloc/core/purge_turns.h"

#include <atomic>
#include <boost/test/unit_test.hpp>

#include "alloc/os/os.h"
#include "test/model/explore.h"

namespace spillway::core {
namespace {

using model::explore;
using model::require;

struct TurnsCase {
  // Not to be reached by two threads at once; nothing but the turn orders it.
  void work() { ++steps; }
  void finish() { require(!PurgeTurns::Turn(turns).held() == paused, "the turn is free again"); }

  PurgeTurns turns;
  bool paused = false;
  uint32_t steps = 0;
};

struct OneAtATime : TurnsCase {
  void thread(unsigned number) {
    PurgeTurns::Turn turn(turns);
    if (number == 2) {
      turn.wait();
      require(turn.held(), "a thread that waits gets the turn");
    }
    if (turn.held()) {
      work();
    }
  }
};

// A fork takes the turn between two steps, and gives it back.
struct Fork : TurnsCase {
  void thread(unsigned number) {
    if (number == 0) {
      PurgeTurns::Turn turn(turns);
      for (int step = 0; step < 2 && turn.keep(); ++step) {
        work();
      }
    } else {
      const void* const who = &forkers[number];
      turns.pause(who);
      if (number == 1) {
        work();
      }
      turns.resume(who);
    }
  }
  char forkers[3] = {};
};

// Two forks at once, of which one waits in vain: it does not end the other's pause.
struct TwoForks : TurnsCase {
  void thread(unsigned number) {
    if (number == 2) {
      wait_for_end();
      const PurgeTurns::Turn turn(turns);
      if (turn.held()) {
        work();
      }
      return;
    }
    const void* const who = &ended[number];
    turns.pause(who);
    if (number == 0) {
      work();
      wait_for_end();
      work();
    }
    turns.resume(who);
    ended[number].store(true, std::memory_order_relaxed);
  }
  void wait_for_end() const {
    while (!ended[1].load(std::memory_order_relaxed)) {
      os::yield();
    }
  }
  std::atomic<bool> ended[2] = {};
};

// The child goes on without the thread that had the turn, whether the fork waited for it or could
// not.
template <bool kWaits>
struct Child : TurnsCase {
  void thread(unsigned number) {
    if (number == 0) {
      const PurgeTurns::Turn turn(turns);
      if (turn.held()) {
        work();
      }
    } else {
      if (kWaits) {
        turns.pause(this);
      }
      model::lose_other_threads();
      turns.resume_after_fork();
      require(turns.progress() % 2 == 0, "no turn is under way in the child");
      PurgeTurns::Turn turn(turns);
      require(turn.held() && turn.keep(), "the child has the turn");
    }
  }
};

// A turn takes the only thing there is for a moment. A thread that finds nothing and is told that
// no turn ran is told the truth.
struct InHand : TurnsCase {
  void thread(unsigned number) {
    if (number == 0) {
      const PurgeTurns::Turn turn(turns);
      if (turn.held() && (there.fetch_and(0, std::memory_order_acquire) & 1) != 0) {
        there.fetch_or(1, std::memory_order_release);
      }
    } else {
      const uint64_t before = turns.progress();
      // relaxed: as freelists are looked at; the progress orders it.
      const bool found = there.load(std::memory_order_relaxed) != 0;
      require(found || turns.ran_since(before), "nothing is free, and no turn had it in hand");
    }
  }
  std::atomic<uint64_t> there{1};
};

BOOST_AUTO_TEST_SUITE(purge_turns)

BOOST_AUTO_TEST_CASE(one_thread_has_the_turn) {
  explore<OneAtATime>("one at a time", {.threads = 3, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(a_fork_has_the_turn) {
  explore<Fork>("a fork", {.threads = 2, .older_loads = 2});
  explore<Fork>("a fork and a turn", {.threads = 3, .preemptions = 2, .older_loads = 1});
  explore<TwoForks>("two forks", {.threads = 3, .preemptions = 2, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(a_child_has_the_turn) {
  explore<Child<true>>("a child", {.threads = 2, .plain_stores = true});
  explore<Child<false>>("a child at once", {.threads = 2, .plain_stores = true});
}
BOOST_AUTO_TEST_CASE(what_a_turn_has_in_hand_is_told) {
  explore<InHand>("in hand", {.threads = 2, .older_loads = 3});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
