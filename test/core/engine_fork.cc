// A child has the parent's thread caches, but not its threads.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "test/core/upkeep_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(engine_fork)

BOOST_FIXTURE_TEST_CASE(the_child_gets_what_lost_threads_had_cached, EngineFixture) {
  ThreadAnchor mine = new_anchor();
  ThreadAnchor lost = new_anchor();
  BOOST_REQUIRE(engine.attach(mine));
  BOOST_REQUIRE(engine.attach(lost));
  void* const held = allocate(lost, kSmall);
  for (int i = 0; i < 20; ++i) {
    free(lost, allocate(lost, kTwelve));
  }
  free(mine, allocate(mine, kSmall));
  const pid_t child = fork();
  if (child == 0) {
    engine.recover_after_fork(mine, false);
    const stats::Snapshot now = snapshot();
    bool good = now.thread_caches == 1 && now.classes[raw(kTwelve)].cached == 0 &&
                now.classes[raw(kSmall)].cached > 0 && now.classes[raw(kSmall)].live == 1;
    free(mine, held);
    good = good && snapshot().pool_live_bytes == 0 && double_frees == 0;
    ThreadAnchor fresh = new_anchor();
    good = good && engine.attach(fresh) && allocate(fresh, kTwelve) != nullptr;
    _exit(good ? 0 : 1);
  }
  int status = 0;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
  BOOST_TEST(snapshot().thread_caches == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_fork_at_any_moment_puts_no_block_in_two_places, EngineFixture) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int number = 0; number < 3; ++number) {
    threads.emplace_back([&] {
      ThreadAnchor anchor = new_anchor();
      engine.attach(anchor);
      std::vector<void*> held;
      while (!stop) {
        for (int i = 0; i < 40; ++i) {
          held.push_back(allocate(anchor, i % 2 == 0 ? kSmall : kTwelve));
        }
        for (void* const block : held) {
          free(anchor, block);
        }
        held.clear();
      }
      engine.detach(anchor);
    });
  }
  ThreadAnchor mine = new_anchor();
  engine.attach(mine);
  for (int round = 0; round < 50; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      engine.recover_after_fork(mine, false);
      std::vector<bool> seen(engine.arena().bytes() / kGranuleSize);
      bool good = double_frees == 0;
      for (void* block; (block = allocate(mine, kSmall)) != nullptr;) {
        good = good && !seen[engine.arena().offset(block) / kGranuleSize];
        seen[engine.arena().offset(block) / kGranuleSize] = true;
      }
      _exit(good ? 0 : 1);
    }
    int status = 0;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_REQUIRE(status == 0);
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
}

// What a child that is forked in the middle of another thread's purge finds.
struct ForkedInPurge : UpkeepFixture {
  void run_with_fork(bool by_another_thread) {
    std::vector<void*> blocks = allocate_bytes(kColoured, 2 * kMiB);
    free_all(blocks);
    void* large = engine.large().take(3 * kMiB, LargeBlocks::Use::kAny, false);
    BOOST_REQUIRE(large != nullptr);
    state_of(large).store(SlotState::kFree);
    engine.large().give(large);
    faulty::at_purge([](void* self) { static_cast<ForkedInPurge*>(self)->fork_once(); }, this);
    purge_is_ours = !by_another_thread;
    upkeep.purge_everything(engine);
    BOOST_TEST(forks > 1);  // pooled and large ones
    BOOST_TEST(bad_children == 0);
  }
  void fork_once() {
    ++forks;
    const pid_t child = fork();
    if (child == 0) {
      engine.recover_after_fork(anchor, purge_is_ours);
      const bool all_free =
          everything_is_free() && engine.large().free_bytes_up_to(UINT64_MAX) != 0;
      // Our own purge goes on, and has the blocks still.
      _exit(all_free != purge_is_ours ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    bad_children += status != 0 ? 1 : 0;
  }
  bool purge_is_ours = false;
  int forks = 0;
  int bad_children = 0;
};

BOOST_FIXTURE_TEST_CASE(a_child_gets_what_the_purge_of_a_lost_thread_had_in_hand, ForkedInPurge) {
  run_with_fork(true);
}

BOOST_FIXTURE_TEST_CASE(a_purge_that_a_fork_interrupted_keeps_what_it_has_in_hand, ForkedInPurge) {
  run_with_fork(false);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
