// SPDX-License-Identifier: MIT
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "bench/contention/workload.h"

BOOST_AUTO_TEST_SUITE(contention_workloads)

namespace {

using bench::contention::Call;
using bench::contention::make_burst;
using bench::contention::make_handover;
using bench::contention::make_replace;
using bench::contention::Plan;
using bench::contention::Workload;

constexpr Plan kPlan{2, 8, {4096, 65536}, 1};

// Answers the workload's calls and checks that they make sense.
struct Allocator {
  explicit Allocator(Workload& its_workload) : workload(its_workload) {}

  // False if the thread has to wait.
  bool step(unsigned thread) {
    const auto call = workload.next(thread);
    if (!call) {
      return false;
    }
    if (call->frees) {
      BOOST_TEST(live.erase(call->argument) == 1U);
      ++frees;
      workload.done(thread, *call, 0);
    } else {
      BOOST_TEST(call->argument >= kPlan.sizes.smallest);
      BOOST_TEST(call->argument <= kPlan.sizes.largest);
      logarithms += std::log2(static_cast<double>(call->argument));
      live.insert(++blocks);
      workload.done(thread, *call, blocks);
    }
    return true;
  }

  Workload& workload;
  std::set<uint64_t> live;
  uint64_t blocks = 0;
  uint64_t frees = 0;
  double logarithms = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(replace_keeps_its_blocks_live) {
  const auto workload = make_replace(kPlan);
  Allocator allocator(*workload);
  for (int i = 0; i < 8; ++i) {
    allocator.step(0);
  }
  BOOST_TEST(allocator.live.size() == 8U);
  for (int i = 0; i < 4000; ++i) {
    allocator.step(0);
    BOOST_TEST(allocator.live.size() == (i % 2 == 0 ? 7U : 8U));
  }
  BOOST_TEST(allocator.frees == 2000U);
  // 4K to 64K: the middle of the logarithms is 14.
  BOOST_TEST(allocator.logarithms / static_cast<double>(allocator.blocks) == 14,
             boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(burst_allocates_all_then_frees_all) {
  const auto workload = make_burst(kPlan);
  Allocator allocator(*workload);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 8; ++i) {
      allocator.step(1);
    }
    BOOST_TEST(allocator.live.size() == 8U);
    for (int i = 0; i < 8; ++i) {
      allocator.step(1);
    }
    BOOST_TEST(allocator.live.empty());
  }
}

BOOST_AUTO_TEST_CASE(handover_goes_from_one_thread_to_the_next) {
  const auto workload = make_handover(kPlan);
  Allocator allocator(*workload);
  BOOST_TEST(!allocator.step(1));
  for (int i = 0; i < 8; ++i) {
    BOOST_TEST(allocator.step(0));
  }
  BOOST_TEST(!allocator.step(0));
  BOOST_TEST(allocator.step(1));
  BOOST_TEST(allocator.step(0));
  BOOST_TEST(!allocator.step(0));
  BOOST_TEST(allocator.frees == 1U);
}

BOOST_AUTO_TEST_CASE(a_threads_sizes_are_its_own_and_the_same_each_time) {
  const auto first = make_replace(kPlan);
  const auto second = make_replace(kPlan);
  const auto size = [](Workload& workload, unsigned thread) {
    return workload.next(thread)->argument;
  };
  const uint64_t drawn = size(*first, 0);
  size(*second, 1);
  BOOST_TEST(size(*second, 0) == drawn);
  BOOST_TEST(size(*first, 1) != drawn);
}

BOOST_AUTO_TEST_SUITE_END()
