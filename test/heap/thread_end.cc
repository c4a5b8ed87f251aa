// SPDX-License-Identifier: MIT
// A thread's cache comes back when it ends.
#include "alloc/heap/thread_end.h"

#include <pthread.h>

#include <thread>

#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kSize = 12000;

BOOST_FIXTURE_TEST_SUITE(heap_thread_end, HeapFixture)

BOOST_AUTO_TEST_CASE(a_thread_has_a_cache_from_its_first_block_to_its_end) {
  const uint64_t before = snapshot().thread_caches;
  uint64_t untouched = 0;
  uint64_t during = 0;
  std::thread([&] {
    untouched = snapshot().thread_caches;
    free(allocate(kSize));
    during = snapshot().thread_caches;
  }).join();
  BOOST_TEST(untouched == before);
  BOOST_TEST(during == before + 1);
  BOOST_TEST(snapshot().thread_caches == before);
}

BOOST_AUTO_TEST_CASE(a_thread_that_only_frees_has_one_too) {
  void* block = allocate(kSize);
  const uint64_t before = snapshot().thread_caches;
  uint64_t during = 0;
  std::thread([&] {
    free(block);
    during = snapshot().thread_caches;
  }).join();
  BOOST_TEST(during == before + 1);
  BOOST_TEST(snapshot().thread_caches == before);
}

BOOST_AUTO_TEST_CASE(what_the_thread_had_cached_is_free_afterwards) {
  heap.engine.flush(thread_state);
  const stats::ClassSnapshot before = class_snapshot(kSize);
  uint64_t cached = 0;
  std::thread([&] {
    void* blocks[20];
    for (void*& block : blocks) {
      block = allocate(kSize);
    }
    for (void* block : blocks) {
      free(block);
    }
    cached = class_snapshot(kSize).cached;
  }).join();
  const stats::ClassSnapshot after = class_snapshot(kSize);
  BOOST_TEST(cached > before.cached);
  BOOST_TEST(after.cached == before.cached);
  BOOST_TEST(after.live == before.live);
}

BOOST_AUTO_TEST_CASE(many_short_threads_leave_nothing_behind) {
  const stats::Snapshot before = snapshot();
  for (int i = 0; i < 500; ++i) {
    std::thread([] { free(allocate(kSize)); }).join();
  }
  const stats::Snapshot after = snapshot();
  BOOST_TEST(after.thread_caches == before.thread_caches);
  BOOST_TEST(after.pool_live_bytes == before.pool_live_bytes);
  BOOST_TEST(after.pool_grown_bytes <= before.pool_grown_bytes + 8 * kMiB);
}

void free_late(void* block) {
  free(block);
  free(allocate(kSize));
}

BOOST_AUTO_TEST_CASE(blocks_freed_after_the_cache_went_are_free) {
  pthread_key_t later;  // created after the heap's: its destructor runs after
  BOOST_REQUIRE(pthread_key_create(&later, free_late) == 0);
  const stats::Snapshot before = snapshot();
  std::thread([&] { pthread_setspecific(later, allocate(kSize)); }).join();
  const stats::Snapshot after = snapshot();
  BOOST_TEST(after.thread_caches == before.thread_caches);
  BOOST_TEST(after.pool_live_bytes == before.pool_live_bytes);
  BOOST_TEST(after.uncached_total == before.uncached_total + 3);
  pthread_key_delete(later);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
