// SPDX-License-Identifier: MIT
#include "alloc/core/cache_budget.h"

#include <boost/test/unit_test.hpp>

namespace spillway::core {
namespace {

BOOST_AUTO_TEST_SUITE(cache_budget)

BOOST_AUTO_TEST_CASE(a_fixed_budget_is_never_exceeded) {
  CacheBudget budget;
  budget.configure({.floor = 100});
  BOOST_TEST(budget.claim(60, 0));
  BOOST_TEST(!budget.claim(41, 0));
  BOOST_TEST(budget.claim(40, 0));
  BOOST_TEST(budget.claimed() == 100);
  budget.give_back(50);
  BOOST_TEST(budget.claim(50, 0));
  BOOST_TEST(!budget.claim(1, 0));
}

BOOST_AUTO_TEST_CASE(zero_disables) {
  CacheBudget budget;
  budget.configure({});
  BOOST_TEST(!budget.claim(1, 0));
  BOOST_TEST(budget.claimed() == 0);
}

BOOST_AUTO_TEST_CASE(a_share_of_the_pool_comes_on_top_of_the_floor) {
  CacheBudget budget;
  budget.configure({.floor = 100, .pool_share = 8});
  BOOST_TEST(budget.limit(0) == 100);
  BOOST_TEST(!budget.claim(101, 0));
  BOOST_TEST(budget.claimed() == 0);
  BOOST_TEST(budget.limit(kGiB) == 100 + static_cast<int64_t>(kGiB / 8));
  BOOST_TEST(budget.claim(101, kGiB));
  BOOST_TEST(!budget.claim(1, 0));  // the pool shrank
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
