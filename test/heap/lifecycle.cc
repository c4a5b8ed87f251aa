// SPDX-License-Identifier: MIT
// The heap across a fork and at the end of the process.
#include "alloc/heap/lifecycle.h"

#include <atomic>
#include <thread>

#include "test/child.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using spillway::testing::Ending;
using spillway::testing::run_in_child;

constexpr size_t kSize = 80000;

// Holds a few blocks in its cache until told to end.
class BusyThread {
 public:
  BusyThread() {
    while (!ready_) {
      std::this_thread::yield();
    }
  }
  ~BusyThread() {
    stop_ = true;
    thread_.join();
  }
  BusyThread(const BusyThread&) = delete;
  BusyThread& operator=(const BusyThread&) = delete;

 private:
  void run() {
    void* blocks[10];
    for (void*& block : blocks) {
      block = allocate(kSize);
    }
    for (void* block : blocks) {
      free(block);
    }
    ready_ = true;
    while (!stop_) {
      std::this_thread::yield();
    }
  }
  std::atomic<bool> ready_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_{[this] { run(); }};
};

BOOST_FIXTURE_TEST_SUITE(heap_lifecycle, HeapFixture)

BOOST_AUTO_TEST_CASE(a_child_allocates_and_frees_its_parents_blocks) {
  void* block = allocate(kSize);
  fill(block, kSize, 1);
  const Ending ending = run_in_child([&] {
    bool good = is_filled(block, kSize, 1);
    free(block);
    for (const size_t size : kSizes) {
      void* own = allocate_zeroed(size);
      good = good && own != nullptr && is_zero(own, size);
      free(own);
    }
    if (!good) {
      _exit(1);
    }
  });
  BOOST_TEST(ending.status == 0);
  BOOST_TEST(ending.message == "");
  BOOST_TEST(is_filled(block, kSize, 1));
  free(block);
}

BOOST_AUTO_TEST_CASE(a_child_takes_back_the_caches_of_threads_that_stayed_behind) {
  free(allocate(kSize));
  const BusyThread busy;
  const uint64_t live = snapshot().pool_live_bytes;
  const uint64_t caches = snapshot().thread_caches;
  const Ending ending = run_in_child([&] {
    const stats::Snapshot now = snapshot();
    if (now.thread_caches != 1 || now.pool_live_bytes != live) {
      _exit(1);
    }
  });
  BOOST_TEST(caches == 2U);
  BOOST_TEST(ending.status == 0);
  BOOST_TEST(snapshot().thread_caches == caches);
}

BOOST_AUTO_TEST_CASE(a_grandchild_works_too) {
  const Ending ending = run_in_child([] {
    const Ending inner = run_in_child([] { free(allocate(kSize)); });
    if (inner.status != 0) {
      _exit(1);
    }
  });
  BOOST_TEST(ending.status == 0);
}

BOOST_AUTO_TEST_CASE(the_end_says_nothing_unless_asked) {
  const Ending ending = run_in_child([] { on_process_end(); });
  BOOST_TEST(ending.status == 0);
  BOOST_TEST(ending.message == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
