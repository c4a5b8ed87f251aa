// SPDX-License-Identifier: MIT
// The table, and what is derived from it elsewhere: the schema of the JSON form.
#include "alloc/stats/statistics.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace spillway::stats {
namespace {

BOOST_AUTO_TEST_SUITE(statistics)

BOOST_AUTO_TEST_CASE(names_follow_the_rules_of_prometheus) {
  std::set<std::string> names;
  const auto check = [&names](const Spec& spec, const std::string& prefix) {
    const std::string name = prefix + std::string(spec.name);
    BOOST_TEST(names.insert(name).second, name << " is there twice");
    BOOST_TEST(spec.name.ends_with("_total") == (spec.kind == Kind::kCounter), name);
    BOOST_TEST(!spec.help.empty(), name);
    BOOST_TEST(spec.help.find_first_of("\\\n") == std::string_view::npos, name);
  };
  for (const Spec& spec : kSpecs) {
    check(spec, "");
  }
  for (const Spec& spec : kIdentitySpecs) {
    check(spec, "");
  }
  for (const Spec& spec : kClassSpecs) {
    check(spec, "class_");
  }
}

BOOST_AUTO_TEST_CASE(a_counter_that_was_shown_is_shown_again) {
  ShownCounter counter;
  BOOST_TEST(counter.at_least(5) == 5U);
  BOOST_TEST(counter.at_least(3) == 5U);
  BOOST_TEST(counter.at_least(6) == 6U);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&counter, i] {
      uint64_t before = 0;
      for (uint64_t step = 0; step < 100000; ++step) {
        const uint64_t now = counter.at_least(step * 4 + i);
        if (now < before || now < step * 4 + i) {
          std::abort();
        }
        before = now;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(counter.at_least(0) == 99999U * 4 + 3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::stats
