// SPDX-License-Identifier: MIT
#include "alloc/profile/sampler.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <vector>

#include "alloc/profile/exponential.h"

namespace spillway::profile {
namespace {

constexpr uint64_t kRate = 1U << 20;

BOOST_AUTO_TEST_SUITE(profile_sampler)

BOOST_AUTO_TEST_CASE(logarithm_and_exponential_are_the_libraries) {
  for (double value = 1e-15; value < 1e18; value *= 1.37) {
    BOOST_TEST(natural_log(value) == std::log(value), boost::test_tools::tolerance(1e-9));
    BOOST_TEST(one_minus_exp(value) == -std::expm1(-value), boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(std::abs(natural_log(1)) < 1e-12);
  BOOST_TEST(one_minus_exp(0) == 0.0);
}

BOOST_AUTO_TEST_CASE(distances_are_exponential) {
  Sampler sampler;
  sampler.start(kRate, 1);
  constexpr int kDraws = 100000;
  double sum = 0;
  int beyond_mean = 0;
  for (int i = 0; i < kDraws; ++i) {
    const int64_t bytes = sampler.bytes_until_sample();
    BOOST_REQUIRE(bytes >= 0);
    sum += static_cast<double>(bytes);
    beyond_mean += bytes > static_cast<int64_t>(kRate) ? 1 : 0;
  }
  // Six standard deviations.
  BOOST_TEST(std::abs(sum / kDraws / kRate - 1) < 6 / std::sqrt(kDraws));
  BOOST_TEST(std::abs(beyond_mean / double{kDraws} - std::exp(-1)) < 6 * 0.5 / std::sqrt(kDraws));
}

// What samples stand for is what there was: each size alone, by both kinds of draw.
BOOST_AUTO_TEST_CASE(weights_have_no_bias) {
  Sampler sampler;
  sampler.start(kRate, 2);
  for (const size_t size : {100U, 5000U, 300'000U, 1'000'000U, 20'000'000U}) {
    constexpr int kBlocks = 400'000;
    double bytes = 0;
    double blocks = 0;
    double squares = 0;
    int64_t left = sampler.bytes_until_sample();
    uint32_t left_blocks = sampler.blocks_until_sample(size);
    double bytes_by_blocks = 0;
    const Sampler::Weight weight = sampler.weight(size, size);
    for (int i = 0; i < kBlocks; ++i) {
      left -= static_cast<int64_t>(size);
      if (left < 0) {
        left = sampler.bytes_until_sample();
        bytes += static_cast<double>(weight.bytes);
        blocks += static_cast<double>(weight.blocks) / (1 << Sampler::kBlockShift);
      }
      if (left_blocks-- == 0) {
        left_blocks = sampler.blocks_until_sample(size);
        bytes_by_blocks += static_cast<double>(weight.bytes);
      }
      const double p = one_minus_exp(static_cast<double>(size) / kRate);
      squares += (1 - p) / p * static_cast<double>(size) * static_cast<double>(size);
    }
    const double expected = double{kBlocks} * static_cast<double>(size);
    const double bound = 6 * std::sqrt(squares) + 1e-6 * expected;
    BOOST_TEST(std::abs(bytes - expected) < bound);
    BOOST_TEST(std::abs(bytes_by_blocks - expected) < bound);
    BOOST_TEST(std::abs(blocks * static_cast<double>(size) - bytes) < 1e-4 * expected);
  }
}

BOOST_AUTO_TEST_CASE(extremes_are_numbers) {
  Sampler sampler;
  sampler.start(1, 3);
  BOOST_TEST(sampler.weight(8, 8).bytes == 8U);
  BOOST_TEST(sampler.weight(0, 0).blocks > 0U);
  sampler.start(uint64_t{1} << 50, 3);
  BOOST_TEST((sampler.weight(1, 1).bytes >> 49) == 2U);
  BOOST_TEST(sampler.blocks_until_sample(1) == UINT32_MAX);
  BOOST_TEST(sampler.bytes_until_sample() > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::profile
