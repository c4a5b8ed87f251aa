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

struct RelaxFixture : EngineFixture {
  RelaxFixture() {
    BOOST_REQUIRE(engine.attach(anchor));
    free(anchor, allocate(anchor, kTwelve));
    BOOST_REQUIRE(snapshot().pool_cached_bytes > 0U);
  }
  void relax_twice() {
    engine.relax_caches();
    engine.relax_caches();
  }
  ThreadAnchor anchor = new_anchor();
};

BOOST_AUTO_TEST_SUITE(engine_relax)

BOOST_FIXTURE_TEST_CASE(a_cache_is_borrowed_only_with_leave, RelaxFixture) {
  relax_twice();
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
  engine.allow_borrowing(anchor);
  relax_twice();
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
}

BOOST_FIXTURE_TEST_CASE(leave_without_a_cache_means_nothing, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  engine.allow_borrowing(anchor);
  engine.relax_caches();
  BOOST_TEST((anchor.bins.get() == &kNoCacheYet));
  engine.detach(anchor);
}

BOOST_FIXTURE_TEST_CASE(a_thread_at_work_on_its_bins_keeps_them, RelaxFixture) {
  engine.allow_borrowing(anchor);
  const BinTable* const own = anchor.bins.get();
  {
    const BusyScope busy(anchor);
    relax_twice();
    BOOST_TEST(snapshot().pool_cached_bytes > 0U);
    BOOST_TEST(anchor.bins.get() == own);
  }
  relax_twice();
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(anchor.bins.get() == own);
}

BOOST_FIXTURE_TEST_CASE(without_membarrier_nothing_is_borrowed, RelaxFixture) {
  engine.allow_borrowing(anchor);
  const BinTable* const own = anchor.bins.get();
  os::fake::refuse_barriers();
  relax_twice();
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
  BOOST_TEST(anchor.bins.get() == own);
  os::fake::reset();
  relax_twice();
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_detached_cache_is_not_borrowed, RelaxFixture) {
  engine.allow_borrowing(anchor);
  engine.detach(anchor);
  ThreadAnchor other = new_anchor();
  BOOST_REQUIRE(engine.attach(other));  // the same cache, whose new owner gave no leave
  free(other, allocate(other, kTwelve));
  relax_twice();
  BOOST_TEST((anchor.bins.get() == &kCacheGone));
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
  engine.detach(other);
}

BOOST_FIXTURE_TEST_CASE(a_thread_whose_cache_is_lent_works_without, RelaxFixture) {
  BinTable* const own = anchor.bins.get();
  anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  const uint64_t cached = snapshot().pool_cached_bytes;
  const uint64_t uncached = snapshot().uncached_total;
  void* block = allocate(anchor, kTwelve);
  BOOST_TEST(block != nullptr);
  free(anchor, block);
  engine.flush(anchor);
  BOOST_TEST(!engine.attach(anchor));
  BOOST_TEST(snapshot().pool_cached_bytes == cached);
  BOOST_TEST(snapshot().uncached_total == uncached + 2);
  anchor.bins.set(own);
}

BOOST_FIXTURE_TEST_CASE(a_cache_that_comes_back_between_miss_and_refill_loses_no_block,
                        RelaxFixture) {
  void* block = engine.take(anchor, kTwelve);  // its bin looked empty a moment ago
  BOOST_REQUIRE(block != nullptr);
  mark_live(block);
  free(anchor, block);
  engine.flush(anchor);
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
  BOOST_TEST(engine.class_at(kTwelve).count_free() == engine.class_at(kTwelve).grown());
}

BOOST_FIXTURE_TEST_CASE(a_thread_ends_when_its_cache_is_back, RelaxFixture) {
  auto& cache = static_cast<ThreadCache&>(*anchor.bins.get());
  cache.lease.store(ThreadCache::Lease::kMoving);  // a borrower writes the anchor
  anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  std::atomic<bool> begun{false};
  std::atomic<bool> back{false};
  bool waited = false;
  std::thread ending([&] {
    begun = true;
    engine.detach(anchor);
    waited = back;
  });
  BOOST_TEST(spillway::testing::wait_until([&] { return begun.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  back = true;
  anchor.bins.set_release(&cache);
  cache.lease.store(ThreadCache::Lease::kOwned);
  ending.join();
  BOOST_TEST(waited);
  BOOST_TEST(snapshot().thread_caches == 0U);
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_thread_whose_cache_is_lent_ends_without_it, RelaxFixture) {
  auto& cache = static_cast<ThreadCache&>(*anchor.bins.get());
  cache.lease.store(ThreadCache::Lease::kLent);
  anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  engine.detach(anchor);
  BOOST_TEST((cache.lease.load() == ThreadCache::Lease::kOrphaned));
  BOOST_TEST((anchor.bins.get() == &kCacheGone));
  BOOST_TEST(snapshot().thread_caches == 1U);  // the borrower's
}

BOOST_FIXTURE_TEST_CASE(a_metered_cache_serves_the_slow_path, RelaxFixture) {
  engine.meter(anchor, true);
  BOOST_TEST((anchor.bins.get() == &kCacheMetered));
  const uint64_t uncached = snapshot().uncached_total;
  const uint64_t bytes = snapshot().pool_cached_bytes;
  void* const cached = engine.take(anchor, kTwelve);  // what the fixture put there
  BOOST_REQUIRE(cached != nullptr);
  BOOST_TEST(snapshot().pool_cached_bytes < bytes);
  BOOST_TEST(engine.give(anchor, kTwelve, cached) == 0U);  // into the cache again
  BOOST_TEST(snapshot().pool_cached_bytes == bytes);
  BOOST_TEST(snapshot().uncached_total == uncached);
  engine.allow_borrowing(anchor);
  relax_twice();
  BOOST_TEST((anchor.bins.get() == &kCacheMetered));  // given back as it was
  engine.meter(anchor, false);
  BOOST_TEST((anchor.bins.get() != &kCacheMetered));
}

BOOST_FIXTURE_TEST_CASE(the_classs_last_block_is_found_in_a_cache_that_comes_back, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  std::vector<void*> all;
  for (void* block; (block = allocate(anchor, kSmall)) != nullptr;) {
    all.push_back(block);
  }
  free(anchor, all.back());
  BinTable* const own = anchor.bins.get();
  anchor.bins.set(const_cast<BinTable*>(&kCacheLent));
  std::thread borrower([&] {
    std::this_thread::yield();
    anchor.bins.set_release(own);
  });
  BOOST_TEST(engine.take(anchor, kSmall) == all.back());
  borrower.join();
}

BOOST_FIXTURE_TEST_CASE(another_threads_cache_is_emptied_while_it_sleeps, EngineFixture) {
  std::atomic<int> step{0};
  const auto wait_for = [&](int wanted) {
    while (step != wanted) {
      std::this_thread::yield();
    }
  };
  std::thread sleeper([&] {
    ThreadAnchor anchor = new_anchor();
    engine.attach(anchor);
    engine.allow_borrowing(anchor);
    void* kept = allocate(anchor, kTwelve);
    free(anchor, allocate(anchor, kTwelve));
    step = 1;
    wait_for(2);
    free(anchor, kept);
    engine.detach(anchor);
  });
  wait_for(1);
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
  engine.relax_caches();
  engine.relax_caches();
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(snapshot().pool_live_bytes == 12 * kKiB);
  step = 2;
  sleeper.join();
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
