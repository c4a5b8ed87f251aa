// SPDX-License-Identifier: MIT
#include "alloc/core/allocation_rate.h"

#include <boost/test/unit_test.hpp>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

constexpr uint64_t kBytes = 4 * kKiB;
constexpr uint64_t kFast = 1;
constexpr uint64_t kWork = 1000;
constexpr uint64_t kSlowNs = 100'000;

// Looks, each after 16 blocks of 4 KiB at this rate.
struct Looker {
  void look(uint32_t times, uint64_t ns_per_block) {
    for (uint32_t i = 0; i < times; ++i) {
      given.blocks += 16;
      given.bytes += 16 * kBytes;
      now += 16 * ns_per_block;
      rate.look(now, given);
    }
  }
  AllocationRate rate;
  uint64_t now = 1000;
  AllocationRate::Given given;
};

BOOST_AUTO_TEST_SUITE(allocation_rate)

BOOST_AUTO_TEST_CASE(the_bound_is_128_bytes_a_nanosecond) {
  BOOST_TEST(AllocationRate::is_fast_rate(1281, 10));
  BOOST_TEST(!AllocationRate::is_fast_rate(1280, 10));
  BOOST_TEST(AllocationRate::is_fast_rate(1, 0));
  BOOST_TEST(!AllocationRate::is_fast_rate(0, 0));
}

BOOST_AUTO_TEST_CASE(long_blocks_are_fast_where_short_ones_are_not) {
  // The same number of blocks in the same time.
  BOOST_TEST(!AllocationRate::is_fast_rate(100 * 4 * kKiB, 100 * 100));
  BOOST_TEST(AllocationRate::is_fast_rate(100 * 64 * kKiB, 100 * 100));
}

BOOST_FIXTURE_TEST_CASE(the_first_look_tells_nothing, Looker) {
  look(1, kFast);
  BOOST_TEST(!rate.is_fast());
  look(1, kFast);
  BOOST_TEST(rate.is_fast());
}

BOOST_FIXTURE_TEST_CASE(eight_slow_looks_in_a_row_end_it, Looker) {
  look(2, kFast);
  look(7, kSlowNs);
  BOOST_TEST(rate.is_fast());
  look(1, kFast);
  look(7, kSlowNs);
  BOOST_TEST(rate.is_fast());
  look(1, kSlowNs);
  BOOST_TEST(!rate.is_fast());
}

BOOST_FIXTURE_TEST_CASE(a_slowed_thread_is_fast_again_at_once, Looker) {
  look(2, kFast);
  rate.slow_down(false);
  BOOST_TEST(!rate.is_fast());
  look(1, kFast);
  BOOST_TEST(rate.is_fast());
}

BOOST_AUTO_TEST_CASE(a_block_in_4_us_is_work_whatever_its_size) {
  BOOST_TEST(AllocationRate::is_busy_rate(11, 40'000));
  BOOST_TEST(!AllocationRate::is_busy_rate(10, 40'000));
  BOOST_TEST(!AllocationRate::is_busy_rate(0, 0));
}

BOOST_FIXTURE_TEST_CASE(a_thread_is_busy_for_as_long_as_it_works, Looker) {
  look(1, kWork);
  BOOST_TEST(!rate.is_busy());
  look(1, kWork);
  BOOST_TEST(rate.is_busy());
  BOOST_TEST(!rate.is_fast());
  look(1, kSlowNs);
  BOOST_TEST(!rate.is_busy());
  look(1, kFast);
  BOOST_TEST(rate.is_busy());
}

BOOST_FIXTURE_TEST_CASE(a_slowed_thread_may_be_busy, Looker) {
  look(2, kFast);
  rate.slow_down(true);
  BOOST_TEST(!rate.is_fast());
  BOOST_TEST(rate.is_busy());
  rate.slow_down(false);
  BOOST_TEST(!rate.is_busy());
}

BOOST_FIXTURE_TEST_CASE(a_new_owner_starts_anew, Looker) {
  look(2, kFast);
  rate.forget();
  BOOST_TEST(!rate.is_fast());
  look(1, kFast);
  BOOST_TEST(!rate.is_fast());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
