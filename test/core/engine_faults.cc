// SPDX-License-Identifier: MIT
// The kernel refuses: at each call in turn, once and for good. Nothing is lost and work goes on.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "test/core/fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
namespace faulty = os::faulty;

// Allocates and frees in every class; returns how many blocks it got.
template <typename Store>
size_t work(EngineFixture<Store>& fixture, ThreadState& thread_state) {
  size_t got = 0;
  std::vector<void*> blocks;
  for (uint8_t index = 1; index <= kBlockSizes.size(); ++index) {
    for (int i = 0; i < 12; ++i) {
      void* const block = fixture.allocate(thread_state, ClassIndex{index});
      if (block != nullptr) {
        ++got;
        *static_cast<char*>(block) = 1;
        blocks.push_back(block);
      }
    }
  }
  for (void* const block : blocks) {
    fixture.free(thread_state, block);
  }
  return got;
}

BOOST_AUTO_TEST_SUITE(engine_faults)

BOOST_AUTO_TEST_CASE_TEMPLATE(start_fails_cleanly_at_every_reservation, Store, Stores) {
  for (uint64_t call = 0;; ++call) {
    faulty::reset();
    const uint64_t reserved = faulty::reserved_bytes();
    faulty::fail(faulty::Call::kReserve, call, UINT64_MAX - call);
    Engine<Store> engine;
    const bool started = engine.start(engine_config<Store>(kAmple, 16 * kMiB, 8));
    if (!started) {
      BOOST_TEST(faulty::reserved_bytes() == reserved);
      BOOST_TEST(!engine.arena().owns(&engine));
      continue;
    }
    BOOST_TEST(call >= 3U);  // arena, states, freelists; thread caches can be done without
    engine.stop();
    BOOST_TEST(faulty::reserved_bytes() == reserved);
    break;
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_refused_commit_anywhere_costs_at_most_some_requests, Store,
                              Stores) {
  uint64_t commits = 0;
  {
    EngineFixture<Store> fixture;
    ThreadState thread_state = new_state();
    fixture.engine.attach(thread_state);
    work(fixture, thread_state);
    commits = faulty::calls(faulty::Call::kCommit);
  }
  BOOST_TEST(commits > 8U);
  for (uint64_t call = 0; call < commits; ++call) {
    EngineFixture<Store> fixture;
    faulty::fail(faulty::Call::kCommit, call, 1);
    ThreadState thread_state = new_state();
    fixture.engine.attach(thread_state);
    work(fixture, thread_state);
    BOOST_TEST(work(fixture, thread_state) == 12U * kBlockSizes.size());
    fixture.engine.detach(thread_state);
    BOOST_TEST(fixture.snapshot().pool_live_bytes == 0U);
    BOOST_TEST(fixture.everything_is_free());
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(commits_refused_for_good_leave_what_there_is, Store, Stores) {
  EngineFixture<Store> fixture;
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(fixture.engine.attach(thread_state));
  void* const before = fixture.allocate(thread_state, kSmall);
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  while (fixture.allocate(thread_state, kTwelve) != nullptr) {
  }
  fixture.free(thread_state, before);
  BOOST_TEST(fixture.allocate(thread_state, kSmall) == before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(more_threads_than_caches, Store, Stores) {
  EngineFixture<Store> fixture(engine_config<Store>(kAmple, 128 * kMiB, 2));
  std::vector<ThreadState> thread_states(5);
  for (ThreadState& thread_state : thread_states) {
    thread_state.bins.set(const_cast<BinTable*>(&kNoCacheYet));
    fixture.engine.attach(thread_state);
    BOOST_TEST(work(fixture, thread_state) == 12U * kBlockSizes.size());
  }
  BOOST_TEST(fixture.snapshot().thread_caches == 2U);
  BOOST_TEST(fixture.snapshot().pool_live_bytes == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
