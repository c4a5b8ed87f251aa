// SPDX-License-Identifier: MIT
// Whose caches relax_caches() drains, and when it must not. Two calls without work of the thread
// between them empty a cache that could be drained.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "test/core/fixture.h"
#include "test/wait.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

template <typename Store>
struct RelaxFixture : EngineFixture<Store> {
  RelaxFixture() {
    BOOST_REQUIRE(this->engine.attach(thread_state));
    this->free(thread_state, this->allocate(thread_state, kTwelve));
    BOOST_REQUIRE(this->snapshot().pool_cached_bytes > 0U);
  }
  void relax_twice() {
    this->engine.relax_caches();
    this->engine.relax_caches();
  }
  ThreadState thread_state = new_state();
};

BOOST_AUTO_TEST_SUITE(engine_relax)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cache_is_drained_only_with_leave, Store, Stores) {
  RelaxFixture<Store> f;
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
  f.engine.allow_draining(f.thread_state);
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(leave_without_a_cache_means_nothing, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  f.engine.allow_draining(thread_state);
  f.engine.relax_caches();
  BOOST_TEST((thread_state.bins.get() == &kNoCacheYet));
  f.engine.detach(thread_state);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_at_work_on_its_bins_keeps_them, Store, Stores) {
  RelaxFixture<Store> f;
  f.engine.allow_draining(f.thread_state);
  const BinTable* const own = f.thread_state.bins.get();
  {
    const BusyScope busy(f.thread_state);
    f.relax_twice();
    BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
    BOOST_TEST(f.thread_state.bins.get() == own);
  }
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(f.thread_state.bins.get() == own);
}

// Between settle_metering()'s look at its thread state and its write to it the drainer exchanged
// the pointer.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_that_writes_its_state_meanwhile_keeps_its_bins, Store,
                              Stores) {
  RelaxFixture<Store> f;
  f.engine.allow_draining(f.thread_state);
  f.engine.meter(f.thread_state, Metering::kForScavenger, true);
  os::fake::at_barrier(
      [](void* thread_state) {
        static_cast<ThreadState*>(thread_state)->bins.set(const_cast<BinTable*>(&kCacheMetered));
      },
      &f.thread_state);
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
  BOOST_TEST((f.thread_state.bins.get() == &kCacheMetered));
  os::fake::reset();
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_membarrier_nothing_is_drained, Store, Stores) {
  RelaxFixture<Store> f;
  f.engine.allow_draining(f.thread_state);
  const BinTable* const own = f.thread_state.bins.get();
  os::fake::refuse_barriers();
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
  BOOST_TEST(f.thread_state.bins.get() == own);
  os::fake::reset();
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_detached_cache_is_not_drained, Store, Stores) {
  RelaxFixture<Store> f;
  f.engine.allow_draining(f.thread_state);
  f.engine.detach(f.thread_state);
  ThreadState other = new_state();
  BOOST_REQUIRE(f.engine.attach(other));  // the same cache, whose new owner gave no leave
  f.free(other, f.allocate(other, kTwelve));
  f.relax_twice();
  BOOST_TEST((f.thread_state.bins.get() == &kCacheGone));
  BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
  f.engine.detach(other);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_whose_cache_is_being_drained_works_without, Store, Stores) {
  RelaxFixture<Store> f;
  BinTable* const own = f.thread_state.bins.get();
  f.thread_state.bins.set(const_cast<BinTable*>(&kCacheDraining));
  const uint64_t cached = f.snapshot().pool_cached_bytes;
  const uint64_t uncached = f.snapshot().uncached_total;
  void* block = f.allocate(f.thread_state, kTwelve);
  BOOST_TEST(block != nullptr);
  f.free(f.thread_state, block);
  f.engine.flush(f.thread_state);
  BOOST_TEST(!f.engine.attach(f.thread_state));
  BOOST_TEST(f.snapshot().pool_cached_bytes == cached);
  BOOST_TEST(f.snapshot().uncached_total == uncached + 2);
  f.thread_state.bins.set(own);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cache_that_comes_back_between_miss_and_refill_loses_no_block, Store,
                              Stores) {
  RelaxFixture<Store> f;
  void* block = f.engine.take(f.thread_state, kTwelve);  // its bin looked empty a moment ago
  BOOST_REQUIRE(block != nullptr);
  f.mark_live(block);
  f.free(f.thread_state, block);
  f.engine.flush(f.thread_state);
  BOOST_TEST(f.snapshot().pool_live_bytes == 0U);
  BOOST_TEST(f.everything_is_free());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_ends_when_its_cache_is_back, Store, Stores) {
  RelaxFixture<Store> f;
  auto& cache = static_cast<ThreadCache&>(*f.thread_state.bins.get());
  cache.drain_state.store(ThreadCache::DrainState::kMoving);  // a drainer writes the thread state
  f.thread_state.bins.set(const_cast<BinTable*>(&kCacheDraining));
  std::atomic<bool> begun{false};
  std::atomic<bool> back{false};
  bool waited = false;
  std::thread ending([&] {
    begun = true;
    f.engine.detach(f.thread_state);
    waited = back;
  });
  BOOST_TEST(spillway::testing::wait_until([&] { return begun.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  back = true;
  f.thread_state.bins.set_release(&cache);
  cache.drain_state.store(ThreadCache::DrainState::kOwned);
  ending.join();
  BOOST_TEST(waited);
  BOOST_TEST(f.snapshot().thread_caches == 0U);
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_whose_cache_is_being_drained_ends_without_it, Store,
                              Stores) {
  RelaxFixture<Store> f;
  auto& cache = static_cast<ThreadCache&>(*f.thread_state.bins.get());
  cache.drain_state.store(ThreadCache::DrainState::kDraining);
  f.thread_state.bins.set(const_cast<BinTable*>(&kCacheDraining));
  f.engine.detach(f.thread_state);
  BOOST_TEST((cache.drain_state.load() == ThreadCache::DrainState::kOrphaned));
  BOOST_TEST((f.thread_state.bins.get() == &kCacheGone));
  BOOST_TEST(f.snapshot().thread_caches == 1U);  // the drainer's
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_metered_cache_serves_the_slow_path, Store, Stores) {
  RelaxFixture<Store> f;
  f.engine.meter(f.thread_state, Metering::kForScavenger, true);
  BOOST_TEST((f.thread_state.bins.get() == &kCacheMetered));
  const uint64_t uncached = f.snapshot().uncached_total;
  const uint64_t bytes = f.snapshot().pool_cached_bytes;
  void* const cached = f.engine.take(f.thread_state, kTwelve);  // what the fixture put there
  BOOST_REQUIRE(cached != nullptr);
  BOOST_TEST(f.snapshot().pool_cached_bytes < bytes);
  BOOST_TEST(f.engine.give(f.thread_state, kTwelve, cached) == 0U);  // into the cache again
  BOOST_TEST(f.snapshot().pool_cached_bytes == bytes);
  BOOST_TEST(f.snapshot().uncached_total == uncached);
  f.engine.allow_draining(f.thread_state);
  f.relax_twice();
  BOOST_TEST((f.thread_state.bins.get() == &kCacheMetered));  // given back as it was
  f.engine.meter(f.thread_state, Metering::kForScavenger, false);
  BOOST_TEST((f.thread_state.bins.get() != &kCacheMetered));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_classs_last_block_is_found_in_a_cache_that_comes_back, Store,
                              Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(f.engine.attach(thread_state));
  std::vector<void*> all;
  for (void* block; (block = f.allocate(thread_state, kSmall)) != nullptr;) {
    all.push_back(block);
  }
  f.free(thread_state, all.back());
  BinTable* const own = thread_state.bins.get();
  thread_state.bins.set(const_cast<BinTable*>(&kCacheDraining));
  std::thread drainer([&] {
    std::this_thread::yield();
    thread_state.bins.set_release(own);
  });
  BOOST_TEST(f.engine.take(thread_state, kSmall) == all.back());
  drainer.join();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_threads_cache_is_emptied_while_it_sleeps, Store, Stores) {
  EngineFixture<Store> f;
  std::atomic<int> step{0};
  const auto wait_for = [&](int wanted) {
    while (step != wanted) {
      std::this_thread::yield();
    }
  };
  std::thread sleeper([&] {
    ThreadState thread_state = new_state();
    f.engine.attach(thread_state);
    f.engine.allow_draining(thread_state);
    void* kept = f.allocate(thread_state, kTwelve);
    f.free(thread_state, f.allocate(thread_state, kTwelve));
    step = 1;
    wait_for(2);
    f.free(thread_state, kept);
    f.engine.detach(thread_state);
  });
  wait_for(1);
  BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
  f.engine.relax_caches();
  f.engine.relax_caches();
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(f.snapshot().pool_live_bytes == 12 * kKiB);
  step = 2;
  sleeper.join();
  BOOST_TEST(f.snapshot().pool_live_bytes == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
