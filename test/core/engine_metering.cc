// SPDX-License-Identifier: MIT
// Which threads come to the slow path with each call.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "test/core/fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

template <typename Store>
struct MeteringFixture : EngineFixture<Store> {
  MeteringFixture() {
    BOOST_REQUIRE(this->engine.attach(thread_state));
    own = thread_state.bins.get();
  }
  bool is_metered() const { return thread_state.bins.get() == &kCacheMetered; }
  ThreadState thread_state = new_state();
  BinTable* own;
};

BOOST_AUTO_TEST_SUITE(engine_metering)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_is_metered_while_any_reason_holds, Store, Stores) {
  MeteringFixture<Store> f;
  BOOST_TEST(f.engine.meter(f.thread_state, Metering::kForTenant, true));
  BOOST_TEST(f.is_metered());
  f.engine.meter_all(Metering::kForScavenger, true);
  f.engine.follow_metering(f.thread_state);
  BOOST_TEST(f.engine.meter(f.thread_state, Metering::kForTenant, false));
  BOOST_TEST(f.is_metered());
  BOOST_TEST(f.engine.meter(f.thread_state, Metering::kForTenant, true));
  f.engine.meter_all(Metering::kForScavenger, false);
  f.engine.follow_metering(f.thread_state);
  BOOST_TEST(f.is_metered());
  BOOST_TEST(f.engine.meter(f.thread_state, Metering::kForTenant, false));
  BOOST_TEST(f.thread_state.bins.get() == f.own);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(all_threads_follow_at_their_next_slow_path, Store, Stores) {
  MeteringFixture<Store> f;
  f.engine.meter_all(Metering::kForScavenger, true);
  BOOST_TEST(!f.is_metered());
  f.engine.follow_metering(f.thread_state);
  BOOST_TEST(f.is_metered());
  f.engine.meter_all(Metering::kForSamples, true);
  f.engine.meter_all(Metering::kForScavenger, false);
  f.engine.follow_metering(f.thread_state);
  BOOST_TEST(f.is_metered());
  f.engine.meter_all(Metering::kForSamples, false);
  f.engine.follow_metering(f.thread_state);
  BOOST_TEST(f.thread_state.bins.get() == f.own);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_that_is_only_seen_uses_its_cache, Store, Stores) {
  MeteringFixture<Store> f;
  const ClassIndex index{1};
  void* const block = f.engine.take(f.thread_state, index);
  BOOST_REQUIRE(block != nullptr);
  Bin& bin = f.own->of(index);
  void** const limit = bin.limit.get();
  void** const bottom = bin.bottom.get();
  void* room[1] = {};
  bin.bottom.set(room);
  bin.top.set(room);
  bin.limit.set(room + 1);
  BOOST_REQUIRE(bin.push(block));
  void* seen = nullptr;
  BOOST_TEST(!f.engine.take_metered(f.thread_state, index, seen));  // it is not metered
  BOOST_REQUIRE(f.engine.meter(f.thread_state, Metering::kForSamples, true));
  {
    const BusyScope busy(f.thread_state);  // as in a signal handler that interrupted it
    BOOST_TEST(!f.engine.take_metered(f.thread_state, index, seen));
  }
  BOOST_TEST(f.engine.take_metered(f.thread_state, index, seen));
  BOOST_TEST(seen == block);
  BOOST_TEST(!f.engine.take_metered(f.thread_state, index, seen));  // there is no other
  BOOST_TEST(f.engine.give_metered(f.thread_state, index, block));
  BOOST_TEST(!f.engine.give_metered(f.thread_state, index, block));  // nor room
  // One that works for all does so at each call.
  f.engine.meter_all(Metering::kForScavenger, true);
  BOOST_TEST(!f.engine.take_metered(f.thread_state, index, seen));
  f.engine.meter_all(Metering::kForScavenger, false);
  BOOST_TEST(f.engine.take_metered(f.thread_state, index, seen));
  BOOST_REQUIRE(f.engine.meter(f.thread_state, Metering::kForSamples, false));
  BOOST_TEST(!f.engine.give_metered(f.thread_state, index, block));
  bin.bottom.set(bottom);
  bin.top.set(bottom);
  bin.limit.set(limit);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(those_that_may_be_drained_follow_at_once, Store, Stores) {
  MeteringFixture<Store> f;
  f.engine.meter_all_now(Metering::kForSamples);
  BOOST_TEST(!f.is_metered());
  f.engine.meter_all(Metering::kForSamples, false);
  f.engine.allow_draining(f.thread_state);
  f.engine.meter_all_now(Metering::kForSamples);
  BOOST_TEST(f.is_metered());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_new_thread_and_a_drained_cache_follow, Store, Stores) {
  MeteringFixture<Store> f;
  f.engine.allow_draining(f.thread_state);
  f.free(f.thread_state, f.allocate(f.thread_state, kTwelve));
  f.engine.relax_caches();
  f.engine.meter_all(Metering::kForSamples, true);
  f.engine.relax_caches();  // drains it
  BOOST_TEST(f.is_metered());
  ThreadState other = new_state();
  BOOST_REQUIRE(f.engine.attach(other));
  BOOST_TEST((other.bins.get() == &kCacheMetered));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_without_a_cache_is_not_metered, Store, Stores) {
  MeteringFixture<Store> f;
  ThreadState none = ThreadState::without_cache();
  BOOST_TEST(!f.engine.meter(none, Metering::kForTenant, true));
  f.engine.meter_all(Metering::kForScavenger, true);
  f.engine.follow_metering(none);
  BOOST_TEST((none.bins.get() == &kCacheGone));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_next_thread_of_a_cache_begins_unmetered, Store, Stores) {
  MeteringFixture<Store> f;
  BOOST_TEST(f.engine.meter(f.thread_state, Metering::kForTenant, true));
  f.engine.own_cache(f.thread_state)->tenant.set(9);
  f.engine.detach(f.thread_state);
  ThreadState next = new_state();
  BOOST_REQUIRE(f.engine.attach(next));
  BOOST_TEST(next.bins.get() == f.own);
  BOOST_TEST(f.engine.own_cache(next)->tenant.get() == 0U);
}

// Its own reason is in force as soon as it says so, whatever a drainer does meanwhile.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_meters_itself_beside_drainers, Store, Stores) {
  MeteringFixture<Store> f;
  f.engine.allow_draining(f.thread_state);
  std::atomic<bool> stop{false};
  std::thread drainer([&] {
    while (!stop) {
      f.engine.relax_caches();
      f.engine.meter_all_now(Metering::kForSamples);
      f.engine.meter_all(Metering::kForSamples, false);
    }
  });
  for (int round = 0; round < 2000; ++round) {
    BOOST_REQUIRE(f.engine.meter(f.thread_state, Metering::kForTenant, true));
    f.free(f.thread_state, f.allocate(f.thread_state, kTwelve));
    const BinTable* const seen = f.thread_state.bins.get();
    BOOST_REQUIRE((seen == &kCacheMetered || seen == &kCacheDraining));
    BOOST_REQUIRE(f.engine.meter(f.thread_state, Metering::kForTenant, false));
  }
  stop = true;
  drainer.join();
  f.engine.follow_metering(f.thread_state);
  BOOST_TEST(f.thread_state.bins.get() == f.own);
}

// Waits for a second.
BOOST_AUTO_TEST_CASE(a_thread_that_a_drainer_holds_up_is_not_metered_for_good) {
  MeteringFixture<PageHeap> f;
  f.engine.allow_draining(f.thread_state);
  BOOST_REQUIRE(f.engine.meter(f.thread_state, Metering::kForTenant, true));
  ThreadCache& cache = *f.engine.own_cache(f.thread_state);
  cache.drain_state.store(ThreadCache::DrainState::kMoving);
  BOOST_TEST(f.engine.meter(f.thread_state, Metering::kForTenant, false));
  cache.drain_state.store(ThreadCache::DrainState::kOwned);
  f.engine.follow_metering(f.thread_state);
  BOOST_TEST(f.thread_state.bins.get() == f.own);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
