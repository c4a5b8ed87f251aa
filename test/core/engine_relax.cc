// SPDX-License-Identifier: MIT
// Whose caches relax_caches() borrows, and when it must not. Two calls without work of the thread
// between them empty a cache that could be borrowed.
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
    BOOST_REQUIRE(this->engine.attach(anchor));
    this->free(anchor, this->allocate(anchor, kTwelve));
    BOOST_REQUIRE(this->snapshot().pool_cached_bytes > 0U);
  }
  void relax_twice() {
    this->engine.relax_caches();
    this->engine.relax_caches();
  }
  ThreadAnchor anchor = new_anchor();
};

BOOST_AUTO_TEST_SUITE(engine_relax)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cache_is_borrowed_only_with_leave, Store, Stores) {
  RelaxFixture<Store> f;
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
  f.engine.allow_borrowing(f.anchor);
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(leave_without_a_cache_means_nothing, Store, Stores) {
  EngineFixture<Store> f;
  ThreadAnchor anchor = new_anchor();
  f.engine.allow_borrowing(anchor);
  f.engine.relax_caches();
  BOOST_TEST((anchor.bins.get() == &kNoCacheYet));
  f.engine.detach(anchor);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_at_work_on_its_bins_keeps_them, Store, Stores) {
  RelaxFixture<Store> f;
  f.engine.allow_borrowing(f.anchor);
  const BinTable* const own = f.anchor.bins.get();
  {
    const BusyScope busy(f.anchor);
    f.relax_twice();
    BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
    BOOST_TEST(f.anchor.bins.get() == own);
  }
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(f.anchor.bins.get() == own);
}

// Between settle_metering()'s look at its anchor and its write to it the borrower exchanged the
// pointer.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_that_writes_its_anchor_meanwhile_keeps_its_bins, Store,
                              Stores) {
  RelaxFixture<Store> f;
  f.engine.allow_borrowing(f.anchor);
  f.engine.meter(f.anchor, Metering::kForUpkeep, true);
  os::fake::at_barrier(
      [](void* anchor) {
        static_cast<ThreadAnchor*>(anchor)->bins.set(const_cast<BinTable*>(&kCacheMetered));
      },
      &f.anchor);
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
  BOOST_TEST((f.anchor.bins.get() == &kCacheMetered));
  os::fake::reset();
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_membarrier_nothing_is_borrowed, Store, Stores) {
  RelaxFixture<Store> f;
  f.engine.allow_borrowing(f.anchor);
  const BinTable* const own = f.anchor.bins.get();
  os::fake::refuse_barriers();
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
  BOOST_TEST(f.anchor.bins.get() == own);
  os::fake::reset();
  f.relax_twice();
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_detached_cache_is_not_borrowed, Store, Stores) {
  RelaxFixture<Store> f;
  f.engine.allow_borrowing(f.anchor);
  f.engine.detach(f.anchor);
  ThreadAnchor other = new_anchor();
  BOOST_REQUIRE(f.engine.attach(other));  // the same cache, whose new owner gave no leave
  f.free(other, f.allocate(other, kTwelve));
  f.relax_twice();
  BOOST_TEST((f.anchor.bins.get() == &kCacheGone));
  BOOST_TEST(f.snapshot().pool_cached_bytes > 0U);
  f.engine.detach(other);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_whose_cache_is_lent_works_without, Store, Stores) {
  RelaxFixture<Store> f;
  BinTable* const own = f.anchor.bins.get();
  f.anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  const uint64_t cached = f.snapshot().pool_cached_bytes;
  const uint64_t uncached = f.snapshot().uncached_total;
  void* block = f.allocate(f.anchor, kTwelve);
  BOOST_TEST(block != nullptr);
  f.free(f.anchor, block);
  f.engine.flush(f.anchor);
  BOOST_TEST(!f.engine.attach(f.anchor));
  BOOST_TEST(f.snapshot().pool_cached_bytes == cached);
  BOOST_TEST(f.snapshot().uncached_total == uncached + 2);
  f.anchor.bins.set(own);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cache_that_comes_back_between_miss_and_refill_loses_no_block, Store,
                              Stores) {
  RelaxFixture<Store> f;
  void* block = f.engine.take(f.anchor, kTwelve);  // its bin looked empty a moment ago
  BOOST_REQUIRE(block != nullptr);
  f.mark_live(block);
  f.free(f.anchor, block);
  f.engine.flush(f.anchor);
  BOOST_TEST(f.snapshot().pool_live_bytes == 0U);
  BOOST_TEST(f.everything_is_free());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_ends_when_its_cache_is_back, Store, Stores) {
  RelaxFixture<Store> f;
  auto& cache = static_cast<ThreadCache&>(*f.anchor.bins.get());
  cache.lease.store(ThreadCache::Lease::kMoving);  // a borrower writes the f.anchor
  f.anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  std::atomic<bool> begun{false};
  std::atomic<bool> back{false};
  bool waited = false;
  std::thread ending([&] {
    begun = true;
    f.engine.detach(f.anchor);
    waited = back;
  });
  BOOST_TEST(spillway::testing::wait_until([&] { return begun.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  back = true;
  f.anchor.bins.set_release(&cache);
  cache.lease.store(ThreadCache::Lease::kOwned);
  ending.join();
  BOOST_TEST(waited);
  BOOST_TEST(f.snapshot().thread_caches == 0U);
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_whose_cache_is_lent_ends_without_it, Store, Stores) {
  RelaxFixture<Store> f;
  auto& cache = static_cast<ThreadCache&>(*f.anchor.bins.get());
  cache.lease.store(ThreadCache::Lease::kLent);
  f.anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  f.engine.detach(f.anchor);
  BOOST_TEST((cache.lease.load() == ThreadCache::Lease::kOrphaned));
  BOOST_TEST((f.anchor.bins.get() == &kCacheGone));
  BOOST_TEST(f.snapshot().thread_caches == 1U);  // the borrower's
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_metered_cache_serves_the_slow_path, Store, Stores) {
  RelaxFixture<Store> f;
  f.engine.meter(f.anchor, Metering::kForUpkeep, true);
  BOOST_TEST((f.anchor.bins.get() == &kCacheMetered));
  const uint64_t uncached = f.snapshot().uncached_total;
  const uint64_t bytes = f.snapshot().pool_cached_bytes;
  void* const cached = f.engine.take(f.anchor, kTwelve);  // what the fixture put there
  BOOST_REQUIRE(cached != nullptr);
  BOOST_TEST(f.snapshot().pool_cached_bytes < bytes);
  BOOST_TEST(f.engine.give(f.anchor, kTwelve, cached) == 0U);  // into the cache again
  BOOST_TEST(f.snapshot().pool_cached_bytes == bytes);
  BOOST_TEST(f.snapshot().uncached_total == uncached);
  f.engine.allow_borrowing(f.anchor);
  f.relax_twice();
  BOOST_TEST((f.anchor.bins.get() == &kCacheMetered));  // given back as it was
  f.engine.meter(f.anchor, Metering::kForUpkeep, false);
  BOOST_TEST((f.anchor.bins.get() != &kCacheMetered));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_classs_last_block_is_found_in_a_cache_that_comes_back, Store,
                              Stores) {
  EngineFixture<Store> f;
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(f.engine.attach(anchor));
  std::vector<void*> all;
  for (void* block; (block = f.allocate(anchor, kSmall)) != nullptr;) {
    all.push_back(block);
  }
  f.free(anchor, all.back());
  BinTable* const own = anchor.bins.get();
  anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  std::thread borrower([&] {
    std::this_thread::yield();
    anchor.bins.set_release(own);
  });
  BOOST_TEST(f.engine.take(anchor, kSmall) == all.back());
  borrower.join();
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
    ThreadAnchor anchor = new_anchor();
    f.engine.attach(anchor);
    f.engine.allow_borrowing(anchor);
    void* kept = f.allocate(anchor, kTwelve);
    f.free(anchor, f.allocate(anchor, kTwelve));
    step = 1;
    wait_for(2);
    f.free(anchor, kept);
    f.engine.detach(anchor);
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
