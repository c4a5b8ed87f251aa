#include "alloc/core/pace.h"

#include <boost/test/unit_test.hpp>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

constexpr Pace::Company kAlone{kMiB, 1};
constexpr Pace::Company kCrowd{kMiB, 8};

// Looks, each after 16 blocks at this pace.
struct Looker {
  void look(uint32_t times, uint64_t ns_per_block, Pace::Company company) {
    for (uint32_t i = 0; i < times; ++i) {
      moved += 16;
      now += 16 * ns_per_block;
      pace.look(now, moved, company);
    }
  }
  Pace pace;
  uint64_t now = 1000;
  uint64_t moved = 0;
};

BOOST_AUTO_TEST_SUITE(pace)

BOOST_AUTO_TEST_CASE(the_bound_is_100_ns_a_block_among_many) {
  BOOST_TEST(Pace::is_hurry(10, 999, kCrowd));
  BOOST_TEST(!Pace::is_hurry(10, 1000, kCrowd));
  BOOST_TEST(!Pace::is_hurry(0, 0, kCrowd));
}

BOOST_AUTO_TEST_CASE(it_is_longer_the_fewer_there_are_in_a_small_pool) {
  BOOST_TEST(Pace::is_hurry(10, 7999, kAlone));
  BOOST_TEST(!Pace::is_hurry(10, 8000, kAlone));
  BOOST_TEST(Pace::is_hurry(10, 3999, {kMiB, 2}));
  BOOST_TEST(!Pace::is_hurry(10, 4000, {kMiB, 2}));
  BOOST_TEST(!Pace::is_hurry(10, 1000, {128 * kMiB, 1}));
}

BOOST_FIXTURE_TEST_CASE(the_first_look_tells_nothing, Looker) {
  look(1, 1, kCrowd);
  BOOST_TEST(!pace.is_hurried());
  look(1, 1, kCrowd);
  BOOST_TEST(pace.is_hurried());
}

BOOST_FIXTURE_TEST_CASE(eight_slow_looks_in_a_row_end_a_hurry, Looker) {
  look(2, 1, kCrowd);
  look(7, 1000, kCrowd);
  BOOST_TEST(pace.is_hurried());
  look(1, 1, kCrowd);
  look(7, 1000, kCrowd);
  BOOST_TEST(pace.is_hurried());
  look(1, 1000, kCrowd);
  BOOST_TEST(!pace.is_hurried());
}

BOOST_FIXTURE_TEST_CASE(company_is_found_by_those_who_are_hurried_only_without, Looker) {
  look(2, 300, kAlone);
  BOOST_TEST(pace.is_hurried());
  BOOST_TEST(!pace.found_company(kAlone));
  BOOST_TEST(pace.found_company(kCrowd));
  look(1, 50, kAlone);
  BOOST_TEST(!pace.found_company(kCrowd));
}

BOOST_FIXTURE_TEST_CASE(a_thread_is_pressed_when_company_makes_no_difference, Looker) {
  look(2, 300, kAlone);
  BOOST_TEST(pace.is_hurried());
  BOOST_TEST(!pace.is_pressed());
  look(1, 50, kAlone);
  BOOST_TEST(pace.is_pressed());
  look(8, 1000, kCrowd);
  BOOST_TEST(!pace.is_pressed());
}

BOOST_FIXTURE_TEST_CASE(what_is_passed_over_is_no_hurry, Looker) {
  look(1, 1000, kCrowd);
  moved += 1000;
  pace.pass_over(moved);
  look(1, 1000, kCrowd);
  BOOST_TEST(!pace.is_hurried());
}

BOOST_FIXTURE_TEST_CASE(a_new_owner_starts_anew, Looker) {
  look(2, 1, kCrowd);
  pace.forget();
  BOOST_TEST(!pace.is_hurried());
  look(1, 1, kCrowd);
  BOOST_TEST(!pace.is_hurried());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
