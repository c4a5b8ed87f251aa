// SPDX-License-Identifier: MIT
// The scavenger by the threads that work, while there is too little free memory for a thread of its
// own.
#include "alloc/heap/scavenger.h"

#include <atomic>
#include <thread>
#include <vector>

#include "alloc/heap/inspect.h"
#include "alloc/heap/maintenance.h"
#include "test/heap/fixture.h"
#include "test/resident.h"
#include "test/wait.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr int64_t kDelayMs = 1000;
constexpr uint64_t kIntervalNs = kDelayMs / 2 * 1'000'000;

// 6 MiB in use, next to nothing free. The demand of the tests before has faded.
struct ScavengerFixture : HeapFixture {
  ScavengerFixture() {
    trim(0);
    scavenger.configure(kDelayMs);
    for (int i = 0; i < 6; ++i) {
      kept.push_back(allocate(kMiB));
    }
    work_for_intervals(100);
  }
  ~ScavengerFixture() {
    for (void* block : kept) {
      free(block);
    }
    scavenger.configure(core::Scavenger::kNever);
  }
  // Misses, of 200 KiB, which are when a thread looks whether there is work.
  static void work() {
    heap.engine.flush(thread_state);
    std::vector<void*> blocks;
    for (int i = 0; i < 40; ++i) {
      blocks.push_back(allocate(5000));
    }
    for (void* block : blocks) {
      free(block);
    }
  }
  static void work_for_intervals(int count) {
    for (int i = 0; i < count; ++i) {
      work();
      os::fake::advance_clock(kIntervalNs);
    }
  }
  std::vector<void*> kept;
};

BOOST_FIXTURE_TEST_SUITE(heap_scavenger, ScavengerFixture)

// Its second look would empty the cache of a thread that did nothing since the first.
BOOST_AUTO_TEST_CASE(it_comes_once_an_interval_however_often_threads_miss) {
  std::atomic<bool> cached{false};
  std::atomic<bool> stop{false};
  std::thread sleeper([&] {
    free(allocate(4 * kKiB));
    cached = true;
    spillway::testing::wait_until([&] { return stop.load(); });
  });
  BOOST_TEST(spillway::testing::wait_until([&] { return cached.load(); }));
  const uint64_t before = class_snapshot(4 * kKiB).cached;
  BOOST_TEST(before > 0U);
  for (int i = 0; i < 200; ++i) {
    work();
  }
  BOOST_TEST(class_snapshot(4 * kKiB).cached == before);
  work_for_intervals(3);
  BOOST_TEST(class_snapshot(4 * kKiB).cached == 0U);
  stop = true;
  sleeper.join();
}

BOOST_AUTO_TEST_CASE(it_gives_back_what_no_thread_took_for_an_interval) {
  void* const block = allocate(2 * kMiB);
  fill(block, 2 * kMiB, 1);
  free(block);
  const uint64_t purged = scavenger.purged_bytes();
  work_for_intervals(20);
  BOOST_TEST(scavenger.purged_bytes() - purged >= kMiB);
}

#if SPILLWAY_MIMALLOC_EXTENDED
// Of the two parts of the heap, neither keeps memory that the other would have to get anew.
BOOST_AUTO_TEST_CASE(when_the_pool_grows_mimalloc_gives_up_what_waits) {
  std::vector<void*> small(16 * 1024);
  for (void*& block : small) {
    block = allocate(kKiB);
    fill(block, kKiB, 1);
  }
  kept.push_back(allocate(kKiB));
  for (void* block : small) {
    free(block);
  }
  BOOST_TEST(spillway::testing::resident_share(small) > 0.5);
  const uint64_t before = snapshot().pool_grown_bytes;
  while (snapshot().pool_grown_bytes < before + before / 4 + 8 * kMiB) {
    kept.push_back(allocate(kMiB));
  }
  BOOST_TEST(spillway::testing::resident_share(small) < 0.1);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
