// SPDX-License-Identifier: MIT
// Giving free memory back when a program asks, and statistics.
#include "alloc/heap/inspect.h"

#include <cerrno>

#include "alloc/heap/glibc_information.h"
#include "test/child.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using spillway::testing::Ending;
using spillway::testing::run_in_child;

constexpr size_t kSize = 50000;  // of the 52 KiB class
// Of a class of which a thread that is slow keeps blocks.
constexpr size_t kCached = 8 * kKiB;

BOOST_FIXTURE_TEST_SUITE(heap_inspect, HeapFixture)

BOOST_AUTO_TEST_CASE(trim_gives_the_threads_cache_back) {
  trim(0);
  free(allocate(kCached));
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
  errno = 4711;
  const int result = trim(0);
  BOOST_TEST(errno == 4711);
  BOOST_TEST((result == 0 || result == 1));
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE(trim_tells_whether_there_was_anything) {
  for (const size_t size : {kSize, 5 * kMiB}) {
    void* block = allocate(size);
    fill(block, size, 1);
    free(block);
    BOOST_TEST(trim(0) == 1);
    BOOST_TEST(trim(0) == 0);
    BOOST_TEST(info2().keepcost == 0U);
  }
}

BOOST_AUTO_TEST_CASE(trim_leaves_live_blocks_alone) {
  void* blocks[] = {allocate(kSize), allocate(4096), allocate(kMiB), allocate(9 * kMiB)};
  for (void* block : blocks) {
    fill(block, 4096, 7);
  }
  trim(0);
  for (void* block : blocks) {
    BOOST_TEST(is_filled(block, 4096, 7));
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(a_block_that_was_trimmed_reads_as_zero_by_calloc) {
  for (const size_t size : {kSize, kMiB, 5 * kMiB}) {
    void* block = allocate(size);
    fill(block, size, 9);
    free(block);
    trim(0);
    block = allocate_zeroed(size);
    BOOST_TEST(is_zero(block, size));
    fill(block, size, 9);
    free(block);
    block = allocate_zeroed(size);
    BOOST_TEST(is_zero(block, size));
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(purge_returns_what_went_back) {
  trim(0);
  const uint64_t before = snapshot().purged_bytes_total;
  void* block = allocate(kMiB);
  fill(block, kMiB, 1);
  free(block);
  const uint64_t purged = purge();
  BOOST_TEST(purged >= kMiB);
  BOOST_TEST(snapshot().purged_bytes_total == before + purged);
  BOOST_TEST(purge() == 0U);
}

BOOST_AUTO_TEST_CASE(malloc_stats_goes_to_stderr) {
  const Ending ending = run_in_child([] { print_statistics(); });
  BOOST_TEST(ending.status == 0);
  BOOST_TEST(ending.message.starts_with("spillway: statistics\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
