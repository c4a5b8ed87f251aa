// SPDX-License-Identifier: MIT
// A child has the parent's thread caches, but not its threads.
#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "test/core/scavenger_fixture.h"
#include "test/forked_child.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(engine_fork)

BOOST_AUTO_TEST_CASE_TEMPLATE(the_child_gets_what_lost_threads_had_cached, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState mine = new_state();
  ThreadState lost = new_state();
  BOOST_REQUIRE(f.engine.attach(mine));
  BOOST_REQUIRE(f.engine.attach(lost));
  void* const held = f.allocate(lost, kSmall);
  for (int i = 0; i < 20; ++i) {
    f.free(lost, f.allocate(lost, kTwelve));
  }
  f.free(mine, f.allocate(mine, kSmall));
  BOOST_TEST(spillway::testing::holds_in_child([&] {
    f.engine.recover_after_fork(mine, false);
    const stats::Snapshot now = f.snapshot();
    bool good = now.thread_caches == 1 && now.classes[raw(kTwelve)].cached == 0 &&
                now.classes[raw(kSmall)].cached > 0 && now.classes[raw(kSmall)].live == 1;
    f.free(mine, held);
    good = good && f.snapshot().pool_live_bytes == 0 && f.double_frees == 0;
    ThreadState fresh = new_state();
    good = good && f.engine.attach(fresh) && f.allocate(fresh, kTwelve) != nullptr;
    return good;
  }));
  BOOST_TEST(f.snapshot().thread_caches == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fork_at_any_moment_puts_no_block_in_two_places, Store, Stores) {
  EngineFixture<Store> f;
  std::atomic<bool> stop{false};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 3; ++number) {
    threads.emplace_back([&] {
      ThreadState thread_state = new_state();
      f.engine.attach(thread_state);
      std::vector<void*> held;
      while (!stop) {
        for (int i = 0; i < 40; ++i) {
          held.push_back(f.allocate(thread_state, i % 2 == 0 ? kSmall : kTwelve));
        }
        for (void* const block : held) {
          if (block != nullptr) {
            f.free(thread_state, block);
          } else {
            ++refused;
          }
        }
        held.clear();
      }
      f.engine.detach(thread_state);
    });
  }
  ThreadState mine = new_state();
  f.engine.attach(mine);
  for (int round = 0; round < 50; ++round) {
    BOOST_REQUIRE(spillway::testing::holds_in_child([&] {
      f.engine.recover_after_fork(mine, false);
      std::vector<bool> seen(f.engine.arena().bytes() / kGrainSize);
      bool good = f.double_frees == 0;
      for (void* block; (block = f.allocate(mine, kSmall)) != nullptr;) {
        const auto first = seen.begin() + static_cast<ptrdiff_t>(f.offset(block) / kGrainSize);
        const auto end = first + Chunk::kGrainsPerPage;
        good = good && std::find(first, end, true) == end;
        std::fill(first, end, true);
      }
      return good;
    }));
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(refused == 0);
}

// What a child that is forked in the middle of another thread's purge finds.
struct ForkedInPurge : ScavengerFixture {
  void run_with_fork(bool by_another_thread) {
    std::vector<void*> blocks = allocate_bytes(kColoured, 2 * kMiB);
    free_all(blocks);
    void* large = engine.store().wide().take(3 * kMiB);
    BOOST_REQUIRE(large != nullptr);
    state_of(large).store(SlotState::kFree);
    engine.store().wide().give(large);
    faulty::at_purge([](void* self) { static_cast<ForkedInPurge*>(self)->fork_once(); }, this);
    purge_is_ours = !by_another_thread;
    scavenger.purge_everything(engine);
    BOOST_TEST(forks > 1);  // for chunks and wide slots
    BOOST_TEST(bad_children == 0);
  }
  void fork_once() {
    ++forks;
    const bool good = spillway::testing::holds_in_child([this] {
      engine.recover_after_fork(thread_state, purge_is_ours);
      const bool all_free =
          everything_is_free() && engine.store().wide().free_bytes_up_to(UINT64_MAX) != 0;
      // Our own purge goes on, and has the blocks still.
      return all_free != purge_is_ours;
    });
    bad_children += good ? 0 : 1;
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

// A signal handler forks while its thread drains the cache of one that does not come along; both
// go on.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_cache_that_is_being_drained_is_left_to_the_drainer, Store, Stores) {
  struct Draining : EngineFixture<Store> {
    ThreadState mine = new_state();
    int forks = 0;
    pid_t child = -1;
  } f;
  os::fake::stop_clock();
  ThreadState lost = new_state();
  BOOST_REQUIRE(f.engine.attach(f.mine) && f.engine.attach(lost));
  f.engine.allow_draining(lost);
  f.free(lost, f.allocate(lost, kTwelve));
  f.engine.relax_caches();
  os::fake::at_barrier(
      [](void* context) {
        auto& self = *static_cast<Draining*>(context);
        if (self.forks++ == 0 && (self.child = fork()) == 0) {
          self.engine.recover_after_fork(self.mine, true);
        }
      },
      &f);
  os::fake::advance_clock(1'000'000'000);
  f.engine.relax_caches();
  if (f.child == 0) {
    os::fake::advance_clock(1'000'000'000);
    f.engine.relax_caches();
    _exit(f.snapshot().pool_cached_bytes == 0 && f.everything_is_free() ? 0 : 1);
  }
  int status = -1;
  BOOST_TEST((waitpid(f.child, &status, 0) == f.child && status == 0));
  BOOST_TEST(f.forks == 1);
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
