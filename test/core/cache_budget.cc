#include "alloc/core/cache_budget.h"

#include <boost/test/unit_test.hpp>

namespace spillway::core {
namespace {

BOOST_AUTO_TEST_SUITE(cache_budget)

BOOST_AUTO_TEST_CASE(a_fixed_budget_is_never_exceeded) {
  PoolSize pool;
  CacheBudget budget;
  budget.configure({.floor = 100}, pool);
  BOOST_TEST(budget.claim(60));
  BOOST_TEST(!budget.claim(41));
  BOOST_TEST(budget.claim(40));
  BOOST_TEST(budget.claimed() == 100);
  budget.give_back(50);
  BOOST_TEST(budget.claim(50));
  BOOST_TEST(!budget.claim(1));
}

BOOST_AUTO_TEST_CASE(zero_disables) {
  PoolSize pool;
  CacheBudget budget;
  budget.configure({}, pool);
  BOOST_TEST(!budget.claim(1));
  BOOST_TEST(budget.claimed() == 0);
}

BOOST_AUTO_TEST_CASE(a_share_of_the_pool_comes_on_top_of_the_floor) {
  PoolSize pool;
  CacheBudget budget;
  budget.configure({.floor = 100, .pool_share = 8}, pool);
  BOOST_TEST(budget.limit() == 100);
  BOOST_TEST(!budget.claim(101));
  pool.grow(kGiB);
  BOOST_TEST(budget.limit() == 100 + static_cast<int64_t>(kGiB / 8));
  BOOST_TEST(budget.claim(101));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
