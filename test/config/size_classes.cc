#include "alloc/config/size_classes.h"

#include <boost/test/unit_test.hpp>

namespace spillway::config {
namespace {

BOOST_AUTO_TEST_SUITE(size_classes)

BOOST_AUTO_TEST_CASE(are_granule_multiples_a_quarter_apart_at_most) {
  for (size_t i = 1; i <= kHeapClassCount; ++i) {
    BOOST_TEST(kHeapClassSizes[i] % kGranuleSize == 0U);
    BOOST_TEST(kHeapClassSizes[i] > kHeapClassSizes[i - 1]);
    if (kHeapClassSizes[i - 1] >= 16 * kKiB) {
      BOOST_TEST(4 * kHeapClassSizes[i] <= 5 * kHeapClassSizes[i - 1]);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_request_gets_the_smallest_class_that_fits) {
  constexpr SizeMap map = make_size_map(kMinPooledSize, kMaxPooledSize);
  for (size_t size = kMinPooledSize; size <= kMaxPooledSize; size += 512) {
    for (const size_t request : {size - 1, size, size + 1}) {
      if (request < kMinPooledSize || request > kMaxPooledSize) {
        continue;
      }
      const size_t index = raw(map[size_map_entry(request)]);
      BOOST_REQUIRE(index >= 1);
      BOOST_REQUIRE(kHeapClassSizes[index] >= request);
      BOOST_REQUIRE((index == 1 || kHeapClassSizes[index - 1] < request));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_request_rounded_to_its_alignment_gets_a_class_of_that_alignment) {
  constexpr SizeMap map = make_size_map(kMinPooledSize, kMaxPooledSize);
  for (size_t alignment = kGranuleSize; alignment <= kMaxPooledSize; alignment *= 2) {
    for (size_t size = alignment; size <= kMaxPooledSize; size += alignment) {
      BOOST_REQUIRE(kHeapClassSizes[raw(map[size_map_entry(size)])] % alignment == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_narrowed_window_excludes_the_rest) {
  constexpr SizeMap map = make_size_map(10000, 100000);
  BOOST_TEST(raw(map[size_map_entry(8192)]) == 0);
  BOOST_TEST(raw(map[size_map_entry(12288)]) == 3);
  BOOST_TEST(raw(map[size_map_entry(102400)]) != 0);
  BOOST_TEST(raw(map[size_map_entry(102401)]) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::config
