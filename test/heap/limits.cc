// SPDX-License-Identifier: MIT
// What is held, and a heap without limits. With limits: test/preload/limit.c.
#include "alloc/heap/limits.h"

#include <cerrno>

#include "alloc/heap/inspect.h"
#include "alloc/heap/set_option.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(heap_limits, HeapFixture)

BOOST_AUTO_TEST_CASE(without_limits_everything_is_admitted) {
  BOOST_TEST(!limits_are_set.get());
  BOOST_TEST(admit(1));
  BOOST_TEST(admit(SIZE_MAX));
  BOOST_TEST(snapshot().limit_bytes == 0U);
  BOOST_TEST(snapshot().hard_limit_bytes == 0U);
  BOOST_TEST(snapshot().limit_crossed_total == 0U);
  BOOST_TEST(snapshot().hard_limit_refusals_total == 0U);
}

BOOST_AUTO_TEST_CASE(held_is_what_blocks_have_until_it_is_given_back) {
  purge();
  const uint64_t before = held_bytes();
  void* large = allocate(20 * kMiB);
  void* pooled = allocate(kMiB);
  fill(large, 20 * kMiB, 1);
  fill(pooled, kMiB, 1);
  const uint64_t during = held_bytes();
  BOOST_TEST(during >= before + 21 * kMiB);
  // A batch may come along with the pooled one.
  BOOST_TEST(during <= before + 24 * kMiB);
  free(large);
  free(pooled);
  BOOST_TEST(held_bytes() >= before + 20 * kMiB);
  purge();
  BOOST_TEST(held_bytes() <= before);
}

BOOST_AUTO_TEST_CASE(held_is_the_same_when_memory_is_used_again) {
  void* block = allocate(kMiB);
  free(block);
  const uint64_t before = held_bytes();
  for (int i = 0; i < 100; ++i) {
    block = allocate(kMiB);
    fill(block, 100, 1);
    free(block);
  }
  BOOST_TEST(held_bytes() == before);
}

int calls;

BOOST_AUTO_TEST_CASE(a_crossing_is_told_once_and_not_where_a_handler_interrupted_the_bins) {
  calls = 0;
  set_limit_callback([](uint64_t held, uint64_t limit) {
    ++calls;
    BOOST_TEST(held + 1 > limit);
    free(allocate(64 * kKiB));
    errno = 99;
  });
  const uint64_t crossed = snapshot().limit_crossed_total;
  void* const block = allocate(kMiB);
  fill(block, kMiB, 1);
  BOOST_REQUIRE(set_option_as("limit", "64K") == 0);
  errno = 4711;
  {
    const core::BusyScope busy(thread_state);
    BOOST_TEST(admit(1));
  }
  BOOST_TEST(calls == 0);
  BOOST_TEST(snapshot().limit_crossed_total == crossed);
  BOOST_TEST(admit(1));
  BOOST_TEST(admit(1));
  BOOST_TEST(calls == 1);
  BOOST_TEST(errno == 4711);
  BOOST_TEST(snapshot().limit_crossed_total == crossed + 1);
  // Far below the limit for once: the next crossing is told again.
  BOOST_REQUIRE(set_option_as("limit", "64G") == 0);
  BOOST_TEST(admit(1));
  BOOST_REQUIRE(set_option_as("limit", "none") == 0);
  // A limit that is set anew is told anew, though nothing was below the one before.
  BOOST_REQUIRE(set_option_as("limit", "64K") == 0);
  BOOST_TEST(admit(1));
  BOOST_TEST(calls == 2);
  BOOST_REQUIRE(set_option_as("limit", "none") == 0);
  BOOST_REQUIRE(set_option_as("limit", "64K") == 0);
  BOOST_TEST(admit(1));
  BOOST_TEST(admit(1));
  BOOST_TEST(calls == 3);
  BOOST_REQUIRE(set_option_as("limit", "none") == 0);
  set_limit_callback(nullptr);
  free(block);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
