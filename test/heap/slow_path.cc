// SPDX-License-Identifier: MIT
// Where requests go, and what happens when a thread's bin cannot serve them.
#include <cerrno>
#include <thread>
#include <vector>

#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(heap_slow_path, HeapFixture)

BOOST_AUTO_TEST_CASE(the_pool_serves_its_window_and_what_is_larger) {
  for (const size_t size : kSizes) {
    void* block = allocate(size);
    BOOST_REQUIRE(block != nullptr);
    BOOST_TEST(is_pooled(block) == (size >= 4 * kKiB));
    fill(block, size, 1);
    BOOST_TEST(is_filled(block, size, 1));
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(size_zero_is_a_block) {
  void* block = allocate(0);
  BOOST_TEST(block != nullptr);
  free(block);
}

BOOST_AUTO_TEST_CASE(impossible_sizes_fail_with_enomem) {
  for (const size_t size : kImpossibleSizes) {
    errno = 0;
    BOOST_TEST(allocate(size) == nullptr);
    BOOST_TEST(errno == ENOMEM);
  }
}

BOOST_AUTO_TEST_CASE(more_blocks_than_a_bin_holds_stay_apart) {
  constexpr size_t kSize = 8000;
  std::vector<void*> blocks;
  for (unsigned i = 0; i < 1000; ++i) {
    blocks.push_back(allocate(kSize));
    fill(blocks.back(), kSize, i);
  }
  for (unsigned i = 0; i < 1000; ++i) {
    BOOST_REQUIRE(is_filled(blocks[i], kSize, i));
  }
  errno = 4711;
  for (void* block : blocks) {
    free(block);
  }
  free(nullptr);
  BOOST_TEST(errno == 4711);
}

// A thread that finds no free run since others are about to give theirs back does not take new
// memory each time: the heap grows by what all hold at once, by what they are moving, and by an
// eighth, without which no thread searches the bitmaps again. That is less than twice the first.
BOOST_AUTO_TEST_CASE(many_threads_do_not_make_the_heap_grow) {
  constexpr size_t kSize = 3 * kMiB / 2;  // no cache holds it
  constexpr size_t kThreads = 8;
  constexpr size_t kHeld = 16;
  const uint64_t before = snapshot().pool_grown_bytes;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([] {
      void* blocks[kHeld];
      for (int round = 0; round < 5000; ++round) {
        for (void*& block : blocks) {
          block = allocate(kSize);
        }
        for (void* block : blocks) {
          free(block);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(snapshot().pool_grown_bytes <= before + 2 * kThreads * kHeld * kSize);
}

BOOST_AUTO_TEST_CASE(a_signal_handler_inside_a_bin_goes_to_the_freelist) {
  free(allocate(20000));
  const stats::Snapshot before = snapshot();
  thread_state.busy.set(true);
  void* first = allocate(20000);
  void* second = allocate_zeroed(20000);
  const bool zero = is_zero(second, 20000);
  free(first);
  free(second);
  thread_state.busy.set(false);
  const stats::Snapshot after = snapshot();
  BOOST_TEST(is_pooled(first));
  BOOST_TEST(is_pooled(second));
  BOOST_TEST(zero);
  BOOST_TEST(after.uncached_total == before.uncached_total + 4);
  BOOST_TEST(after.pool_live_bytes == before.pool_live_bytes);
  BOOST_TEST(after.pool_cached_bytes == before.pool_cached_bytes);
}

BOOST_AUTO_TEST_CASE(a_signal_handler_gives_the_thread_no_cache) {
  const stats::Snapshot before = snapshot();
  uint64_t caches = 0;
  std::thread([&] {
    thread_state.busy.set(true);
    free(allocate(20000));
    caches = snapshot().thread_caches;
    thread_state.busy.set(false);
  }).join();
  BOOST_TEST(caches == before.thread_caches);
  BOOST_TEST(snapshot().uncached_total == before.uncached_total + 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
