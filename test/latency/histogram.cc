// SPDX-License-Identifier: MIT
#include "bench/latency/histogram.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

namespace bench {
namespace {

BOOST_AUTO_TEST_SUITE(histogram)

BOOST_AUTO_TEST_CASE(values_below_64_have_a_bucket_each) {
  for (std::uint64_t value = 0; value < 64; ++value) {
    BOOST_TEST(Histogram::index_of(value) == value);
    BOOST_TEST(Histogram::largest_of(value) == value);
  }
}

BOOST_AUTO_TEST_CASE(buckets_follow_each_other_without_a_gap) {
  std::size_t index = 0;
  std::uint64_t smallest = 0;
  while (smallest <= Histogram::kLargest) {
    const std::uint64_t largest = Histogram::largest_of(index);
    BOOST_REQUIRE(largest >= smallest);
    BOOST_REQUIRE(Histogram::index_of(smallest) == index);
    BOOST_REQUIRE(Histogram::index_of(largest) == index);
    BOOST_REQUIRE((largest - smallest) * 32 <= smallest);
    smallest = largest + 1;
    ++index;
  }
  BOOST_TEST(smallest == Histogram::kLargest + 1);
}

BOOST_AUTO_TEST_CASE(an_empty_one_is_all_zero) {
  const Histogram empty;
  BOOST_TEST(empty.count() == 0U);
  BOOST_TEST(empty.max() == 0U);
  BOOST_TEST(empty.percentile(0.5) == 0U);
  BOOST_TEST(empty.buckets(400).empty());
}

BOOST_AUTO_TEST_CASE(percentiles_are_nearest_ranks) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 10; ++value) {
    histogram.record(value);
  }
  BOOST_TEST(histogram.percentile(0) == 1U);
  BOOST_TEST(histogram.percentile(0.1) == 1U);
  BOOST_TEST(histogram.percentile(0.11) == 2U);
  BOOST_TEST(histogram.percentile(0.5) == 5U);
  BOOST_TEST(histogram.percentile(0.9) == 9U);
  BOOST_TEST(histogram.percentile(0.99) == 10U);
  BOOST_TEST(histogram.percentile(1) == 10U);
}

BOOST_AUTO_TEST_CASE(one_in_a_thousand_is_not_among_the_first_999) {
  Histogram histogram;
  for (int i = 0; i < 999; ++i) {
    histogram.record(7);
  }
  histogram.record(50);
  BOOST_TEST(histogram.percentile(0.999) == 7U);
  BOOST_TEST(histogram.percentile(0.9999) == 50U);
}

BOOST_AUTO_TEST_CASE(percentiles_are_within_a_32nd_of_the_sorted_values) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> values;
  Histogram histogram;
  for (int i = 0; i < 10000; ++i) {
    values.push_back(random() >> (30 + random() % 30));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const std::uint64_t exact = values[static_cast<std::size_t>(share * 10000) - 1];
    const std::uint64_t found = histogram.percentile(share);
    BOOST_TEST(found >= exact);
    BOOST_TEST((found - exact) * 32 <= exact);
  }
  BOOST_TEST(histogram.percentile(1) == values.back());
}

BOOST_AUTO_TEST_CASE(no_percentile_is_above_the_maximum) {
  Histogram histogram;
  histogram.record(1'000'001);
  BOOST_TEST(histogram.max() == 1'000'001U);
  BOOST_TEST(histogram.percentile(0.5) == 1'000'001U);
}

BOOST_AUTO_TEST_CASE(values_above_the_largest_count_and_keep_their_maximum) {
  Histogram histogram;
  histogram.record(UINT64_MAX);
  BOOST_TEST(histogram.count() == 1U);
  BOOST_TEST(histogram.max() == UINT64_MAX);
  BOOST_TEST(histogram.percentile(0.5) == UINT64_MAX);
  BOOST_REQUIRE(histogram.buckets(400).size() == 1U);
  BOOST_TEST(histogram.buckets(400)[0].largest == Histogram::kLargest);
}

BOOST_AUTO_TEST_CASE(adding_is_recording_both) {
  Histogram one;
  Histogram other;
  one.record(3);
  one.record(100);
  other.record(3);
  other.record(5000);
  one.add(other);
  BOOST_TEST(one.count() == 4U);
  BOOST_TEST(one.max() == 5000U);
  BOOST_TEST(one.percentile(0.5) == 3U);
  BOOST_TEST(one.buckets(400).size() == 3U);
  BOOST_TEST(one.buckets(400)[0].count == 2U);
}

BOOST_AUTO_TEST_CASE(too_many_buckets_are_put_together_and_lose_no_count) {
  Histogram histogram;
  for (std::size_t index = 0; index < 1000; ++index) {
    histogram.record(Histogram::largest_of(index));
  }
  BOOST_TEST(histogram.buckets(1000).size() == 1000U);
  for (const std::size_t most : {999U, 400U, 7U, 1U}) {
    const std::vector<Histogram::Bucket> buckets = histogram.buckets(most);
    BOOST_TEST(buckets.size() <= most);
    std::uint64_t count = 0;
    std::uint64_t last = 0;
    for (const Histogram::Bucket& bucket : buckets) {
      BOOST_TEST(bucket.largest > last);
      last = bucket.largest;
      count += bucket.count;
    }
    BOOST_TEST(count == 1000U);
    BOOST_TEST(last >= Histogram::largest_of(999));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
