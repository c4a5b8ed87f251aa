// SPDX-License-Identifier: MIT
// One thread at a time may purge, and none while a process forks.
#include "alloc/core/purge_turns.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "test/core/scavenger_fixture.h"
#include "test/wait.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using Turn = PurgeTurns::Turn;

struct TurnsFixture {
  // Another thread's attempt at a turn.
  bool others_get_one() {
    bool held = false;
    std::thread([&] { held = Turn(turns).held(); }).join();
    return held;
  }
  PurgeTurns turns;
};

// A thread that has the turn until its end.
class Holder {
 public:
  explicit Holder(PurgeTurns& turns)
      : thread_([this, &turns] {
          Turn turn(turns);
          at_work_ = turn.held();
          spillway::testing::wait_until([this] { return stop_.load(); });
        }) {
    BOOST_TEST(spillway::testing::wait_until([this] { return at_work_.load(); }));
  }
  void end() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> at_work_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// The clock stands still, so that no wait is given up on a machine that is busy.
struct Stopped : TurnsFixture {
  Stopped() { os::fake::stop_clock(); }
  ~Stopped() { os::fake::reset(); }
};

BOOST_FIXTURE_TEST_SUITE(purge_turns, TurnsFixture)

BOOST_AUTO_TEST_CASE(there_is_one_turn_at_a_time) {
  {
    Turn mine(turns);
    BOOST_TEST(mine.held());
    BOOST_TEST(mine.keep());
    BOOST_TEST(turns.runs_here());
    BOOST_TEST(!others_get_one());
    BOOST_TEST(mine.held());
  }
  BOOST_TEST(!turns.runs_here());
  BOOST_TEST(others_get_one());
}

BOOST_AUTO_TEST_CASE(a_turn_that_a_signal_handler_interrupted_is_not_waited_for) {
  Turn mine(turns);
  Turn handlers(turns);
  handlers.wait();
  BOOST_TEST(!handlers.held());
  BOOST_TEST(mine.keep());
}

BOOST_FIXTURE_TEST_CASE(who_waits_gets_the_next_turn, Stopped) {
  std::atomic<bool> over{false};
  std::atomic<bool> begun{false};
  bool held = false;
  bool waited = false;
  std::thread patient;
  {
    Turn mine(turns);
    patient = std::thread([&] {
      Turn next(turns);
      begun = true;
      next.wait();
      held = next.held();
      waited = over;
    });
    BOOST_TEST(spillway::testing::wait_until([&] { return begun.load(); }));
    over = true;
  }
  patient.join();
  BOOST_TEST(held);
  BOOST_TEST(waited);
}

BOOST_AUTO_TEST_CASE(a_turn_that_does_not_end_is_waited_for_a_while) {
  Turn mine(turns);
  bool held = true;
  std::thread([&] {
    Turn next(turns);
    next.wait();
    held = next.held();
  }).join();
  BOOST_TEST(!held);
}

BOOST_AUTO_TEST_CASE(there_is_no_turn_from_a_pause_to_its_end) {
  BOOST_TEST(!turns.pausing());
  turns.pause(this);
  BOOST_TEST(turns.pausing());
  BOOST_TEST(!Turn(turns).held());
  BOOST_TEST(!others_get_one());
  turns.resume(this);
  BOOST_TEST(!turns.pausing());
  BOOST_TEST(others_get_one());
}

BOOST_FIXTURE_TEST_CASE(a_pause_takes_the_turn_at_the_next_step, Stopped) {
  std::atomic<bool> at_work{false};
  std::atomic<bool> ended{false};
  std::thread runner([&] {
    Turn turn(turns);
    at_work = turn.held();
    while (turn.keep()) {
      std::this_thread::yield();
    }
    ended = !turn.held();
  });
  BOOST_TEST(spillway::testing::wait_until([&] { return at_work.load(); }));
  turns.pause(this);
  runner.join();
  BOOST_TEST(ended);
  BOOST_TEST(!others_get_one());
  turns.resume(this);
  BOOST_TEST(others_get_one());
}

BOOST_AUTO_TEST_CASE(a_pause_in_vain_leaves_the_turn_alone) {
  Holder holder(turns);
  turns.pause(this);  // waits, but not for ever
  turns.resume(this);
  BOOST_TEST(!turns.pausing());
  BOOST_TEST(!Turn(turns).held());
  holder.end();
  BOOST_TEST(others_get_one());
}

BOOST_AUTO_TEST_CASE(of_two_pauses_the_one_that_was_in_vain_ends_none) {
  int other = 0;
  turns.pause(this);
  std::thread([&] {
    turns.pause(&other);
    turns.resume(&other);
  }).join();
  BOOST_TEST(turns.pausing());
  BOOST_TEST(!others_get_one());
  turns.resume(this);
  BOOST_TEST(others_get_one());
}

BOOST_AUTO_TEST_CASE(a_pause_in_a_turn_of_the_same_thread_does_not_wait) {
  Turn mine(turns);
  turns.pause(this);
  BOOST_TEST(turns.pausing());
  turns.resume(this);
  BOOST_TEST(mine.held());
  BOOST_TEST(mine.keep());
}

BOOST_AUTO_TEST_CASE(a_child_has_turns_when_another_thread_had_one) {
  Holder lost(turns);
  turns.resume_after_fork();
  BOOST_TEST(turns.progress() % 2 == 0U);
  BOOST_TEST(Turn(turns).held());
  lost.end();  // in a child it would never come to that
}

BOOST_AUTO_TEST_CASE(a_child_of_a_handler_in_a_turn_goes_on_with_it) {
  Turn mine(turns);
  turns.pause(this);
  turns.resume_after_fork();
  BOOST_TEST(!turns.pausing());
  BOOST_TEST(turns.runs_here());
  BOOST_TEST(mine.keep());
  BOOST_TEST(!others_get_one());
}

BOOST_AUTO_TEST_CASE(a_child_goes_on_after_its_own_pause) {
  turns.pause(this);
  turns.resume_after_fork();
  BOOST_TEST(others_get_one());
  turns.resume(this);  // nothing is paused any more
  BOOST_TEST(others_get_one());
}

BOOST_AUTO_TEST_CASE(progress_tells_whether_a_turn_was_under_way) {
  const uint64_t before = turns.progress();
  BOOST_TEST(!turns.ran_since(before));
  {
    const Turn mine(turns);
    BOOST_TEST(turns.ran_since(before));
    BOOST_TEST(turns.progress() % 2 == 1U);
    BOOST_TEST(turns.ran_since(turns.progress()));
  }
  BOOST_TEST(turns.ran_since(before));
  BOOST_TEST(!turns.ran_since(turns.progress()));
}

// --- with the scavenger

BOOST_FIXTURE_TEST_CASE(the_scavenger_stands_still_during_a_pause, ScavengerFixture) {
  free_long_after(16 * kMiB);
  run();
  const uint64_t free_bytes = dirty_bytes();
  PurgeTurns& turns = scavenger.turns();
  turns.pause(this);
  std::thread([this] { scavenger.run(engine); }).join();
  BOOST_TEST(dirty_bytes() == free_bytes);
  std::atomic<bool> begun{false};
  std::atomic<bool> resumed{false};
  bool waited = false;
  uint64_t purged = 0;
  std::thread patient([&] {
    begun = true;
    purged = scavenger.purge_everything(engine);
    waited = resumed;
  });
  BOOST_TEST(spillway::testing::wait_until([&] { return begun.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  BOOST_TEST(dirty_bytes() == free_bytes);
  resumed = true;
  turns.resume(this);
  patient.join();
  BOOST_TEST(waited);
  BOOST_TEST(purged == free_bytes);
  BOOST_TEST(dirty_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(pauses_come_between_the_steps_of_runs, ScavengerFixture) {
  // The clock stands still, so that no pause gives up a runner that a busy machine keeps waiting.
  std::atomic<bool> stop{false};
  std::thread runner([&] {
    ThreadState own = new_state();
    while (!stop) {
      for (int i = 0; i < 3; ++i) {
        void* block = allocate(own, kColoured);
        *static_cast<char*>(block) = 1;
        free(own, block);
        scavenger.run(engine);
      }
      scavenger.purge_everything(engine);
    }
  });
  int moved = 0;
  const spillway::testing::HangGuard guard;
  for (int i = 0; i < 300 || (scavenger.purged_bytes() == 0 && !guard.expired()); ++i) {
    scavenger.turns().pause(this);
    const uint64_t before = scavenger.purged_bytes();
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    moved += scavenger.purged_bytes() != before ? 1 : 0;
    scavenger.turns().resume(this);
    std::this_thread::yield();
  }
  stop = true;
  runner.join();
  BOOST_TEST(moved == 0);
  BOOST_TEST(scavenger.purged_bytes() > 0U);
  BOOST_TEST(runs_until_nothing_is_left() < kMaxRuns);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
