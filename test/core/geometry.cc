#include "alloc/core/geometry.h"

#include <boost/test/unit_test.hpp>

#include "alloc/config/size_classes.h"

namespace spillway::core {
namespace {

BOOST_AUTO_TEST_SUITE(geometry)

BOOST_AUTO_TEST_CASE(of_the_heap) {
  constexpr size_t kSpan = 64 * kMiB;
  constexpr size_t kColouredFrom = 32 * kKiB;
  const Geometry heap =
      make_geometry(std::span(config::kHeapClassSizes).subspan<1>(), kSpan, kColouredFrom);
  BOOST_TEST(heap.class_count == config::kHeapClassCount);
  uint32_t entries = 0;
  for (uint32_t i = 1; i <= heap.class_count; ++i) {
    const ClassGeometry& one = heap.classes[i];
    BOOST_TEST(one.block_size == config::kHeapClassSizes[i]);
    BOOST_TEST(one.coloured == (one.block_size >= kColouredFrom));
    BOOST_TEST(one.stride_granules * kGranuleSize ==
               one.block_size + (one.coloured ? kGranuleSize : 0));
    BOOST_TEST(size_t{one.slots} * one.stride_granules * kGranuleSize <= kSpan);
    BOOST_TEST(size_t{one.slots + 1} * one.stride_granules * kGranuleSize > kSpan);
    BOOST_TEST(one.stack_offset >= entries);
    BOOST_TEST(one.first_capacity * one.block_size <= 64 * kKiB);
    BOOST_TEST(one.first_capacity <= one.flow_capacity);
    BOOST_TEST(one.flow_capacity <= one.most_capacity);
    BOOST_TEST(one.capacity_step >= 1U);
    entries = one.stack_offset + one.most_capacity;
  }
  BOOST_TEST(heap.stack_entries >= entries);
}

BOOST_AUTO_TEST_CASE(blocks_of_more_than_64_kib_are_not_cached_at_leisure) {
  const uint32_t sizes[] = {4 * kKiB, 64 * kKiB, 80 * kKiB};
  const Geometry three = make_geometry(sizes, 16 * kMiB, SIZE_MAX);
  BOOST_TEST(three.classes[1].first_capacity == 8U);
  BOOST_TEST(three.classes[2].first_capacity == 1U);
  BOOST_TEST(three.classes[3].first_capacity == 0U);
}

BOOST_AUTO_TEST_CASE(colours_are_the_lines_of_a_granule_in_turn) {
  const uint32_t sizes[] = {28 * kKiB, 32 * kKiB};
  const Geometry two = make_geometry(sizes, 16 * kMiB, 32 * kKiB);
  for (uint32_t slot = 0; slot < 200; ++slot) {
    BOOST_TEST(two.classes[1].colour(SlotIndex{slot}) == 0U);
    BOOST_TEST(two.classes[2].colour(SlotIndex{slot}) == slot % 64 * kLineSize);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
