// SPDX-License-Identifier: MIT
#include "alloc/config/size_classes.h"

#include <boost/test/unit_test.hpp>

namespace spillway::config {
namespace {

BOOST_AUTO_TEST_SUITE(size_classes)

BOOST_AUTO_TEST_CASE(are_multiples_of_the_least_step_an_eighth_apart_at_most) {
  for (size_t i = 1; i <= kHeapClassCount; ++i) {
    BOOST_TEST(kHeapClassSizes[i] % (size_t{1} << kSizeMapShift) == 0U);
    BOOST_TEST(kHeapClassSizes[i] > kHeapClassSizes[i - 1]);
    if (i > 1) {
      BOOST_TEST(kStepsPerDoubling * kHeapClassSizes[i] <=
                 (kStepsPerDoubling + 1) * kHeapClassSizes[i - 1]);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_request_gets_the_smallest_class_that_fits) {
  for (size_t size = kMinPooledSize; size <= kMaxPooledSize; size += 512) {
    for (const size_t request : {size - 1, size, size + 1}) {
      if (request < kMinPooledSize || request > kMaxPooledSize) {
        continue;
      }
      const size_t index = raw(kSizeMap[size_map_entry(request)]);
      BOOST_REQUIRE(index >= 1);
      BOOST_REQUIRE(kHeapClassSizes[index] >= request);
      BOOST_REQUIRE((index == 1 || kHeapClassSizes[index - 1] < request));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_power_of_two_and_a_header_loses_no_more_than_the_least_step) {
  for (size_t size = kMinPooledSize; size < kMaxPooledSize; size *= 2) {
    BOOST_TEST(kHeapClassSizes[raw(kSizeMap[size_map_entry(size + 1)])] == size + 512);
  }
}

BOOST_AUTO_TEST_CASE(powers_of_two_are_classes) {
  for (size_t size = kMinPooledSize; size <= kMaxPooledSize; size *= 2) {
    BOOST_TEST(kHeapClassSizes[raw(kSizeMap[size_map_entry(size)])] == size);
  }
}

BOOST_AUTO_TEST_CASE(a_window_takes_entries_up_to_whole_granules) {
  constexpr SizeMapRange all = size_map_range(kMinPooledSize, kMaxPooledSize);
  BOOST_TEST(all.first == size_map_entry(kMinPooledSize));
  BOOST_TEST(all.end == kSizeMapEntries);
  constexpr SizeMapRange narrow = size_map_range(10000, 100000);
  BOOST_TEST(narrow.first == size_map_entry(12288));
  BOOST_TEST(narrow.end == size_map_entry(102400) + 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::config
