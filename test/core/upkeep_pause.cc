// Upkeep stands still while a process forks.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "test/core/upkeep_fixture.h"
#include "test/wait.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(upkeep_pause, UpkeepFixture)

BOOST_AUTO_TEST_CASE(nobody_runs_during_a_pause) {
  free_long_after(16 * kMiB);
  run();
  const uint64_t free_bytes = dirty_bytes();
  upkeep.pause(this);
  std::thread([this] {
    upkeep.run(engine);
    upkeep.balance(engine);
  }).join();
  BOOST_TEST(dirty_bytes() == free_bytes);
  std::atomic<bool> begun{false};
  std::atomic<bool> resumed{false};
  bool waited = false;
  uint64_t purged = 0;
  std::thread patient([&] {
    begun = true;
    purged = upkeep.purge_everything(engine);
    waited = resumed;
  });
  BOOST_TEST(spillway::testing::wait_until([&] { return begun.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  BOOST_TEST(dirty_bytes() == free_bytes);
  resumed = true;
  upkeep.resume(this);
  patient.join();
  BOOST_TEST(waited);
  BOOST_TEST(purged == free_bytes);
  BOOST_TEST(dirty_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(pauses_come_between_the_steps_of_runs) {
  // The clock stands still, so that no pause gives up a runner that a busy machine keeps waiting.
  std::atomic<bool> stop{false};
  std::thread runner([&] {
    ThreadAnchor own = new_anchor();
    while (!stop) {
      for (int i = 0; i < 3; ++i) {
        void* block = allocate(own, kColoured);
        *static_cast<char*>(block) = 1;
        free(own, block);
        upkeep.run(engine);
      }
      upkeep.purge_everything(engine);
    }
  });
  int moved = 0;
  const spillway::testing::HangGuard guard;
  for (int i = 0; i < 300 || (upkeep.purged_pool_bytes() == 0 && !guard.expired()); ++i) {
    upkeep.pause(this);
    const uint64_t before = upkeep.purged_pool_bytes();
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    moved += upkeep.purged_pool_bytes() != before ? 1 : 0;
    upkeep.resume(this);
    std::this_thread::yield();
  }
  stop = true;
  runner.join();
  BOOST_TEST(moved == 0);
  BOOST_TEST(upkeep.purged_pool_bytes() > 0U);
  BOOST_TEST(runs_until_nothing_is_left() < kMostRuns);
}

BOOST_AUTO_TEST_CASE(a_child_goes_on_whoever_was_in_a_run) {
  free_long_after(kMiB);
  run();
  upkeep.pause(this);
  upkeep.resume_after_fork();
  run();
  BOOST_TEST(dirty_bytes() == 0U);
  upkeep.resume(this);  // nothing is paused any more
  run();
  BOOST_TEST(runs_until_nothing_is_left() < kMostRuns);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
