#include "alloc/core/geometry.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <span>

#include "alloc/config/size_classes.h"

namespace spillway::core {
namespace {

BOOST_AUTO_TEST_SUITE(geometry)

BOOST_AUTO_TEST_CASE(of_the_heap) {
  constexpr size_t kSpan = 64 * kMiB;
  constexpr size_t kColouredFrom = 32 * kKiB;
  const Geometry heap = make_geometry(std::span(config::kHeapClassSizes).subspan<1>(), kSpan,
                                      {.coloured_from = kColouredFrom});
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
    BOOST_TEST(one.first_capacity * one.block_size <= 256 * kKiB);
    BOOST_TEST(one.first_capacity <= one.flow_capacity);
    BOOST_TEST(one.flow_capacity <= one.most_capacity);
    BOOST_TEST(one.capacity_step >= 1U);
    entries = one.stack_offset + one.most_capacity;
  }
  BOOST_TEST(heap.stack_entries >= entries);
}

BOOST_AUTO_TEST_CASE(blocks_of_more_than_64_kib_are_not_cached_at_leisure) {
  const uint32_t sizes[] = {4 * kKiB, 64 * kKiB, 80 * kKiB};
  const Geometry three = make_geometry(sizes, 16 * kMiB, {});
  BOOST_TEST(three.classes[1].first_capacity == 16U);
  BOOST_TEST(three.classes[2].first_capacity == 4U);
  BOOST_TEST(three.classes[3].first_capacity == 0U);
}

BOOST_AUTO_TEST_CASE(neighbouring_slots_of_a_class_have_all_colours) {
  const uint32_t sizes[] = {28 * kKiB, 32 * kKiB};
  const Geometry two = make_geometry(sizes, 16 * kMiB, {.coloured_from = 32 * kKiB});
  std::set<size_t> colours;
  for (uint32_t slot = 100; slot < 164; ++slot) {
    BOOST_TEST(two.classes[1].colour(SlotIndex{slot}) == 0U);
    colours.insert(two.classes[2].colour(SlotIndex{slot}));
  }
  BOOST_TEST(colours.size() == 64U);
  BOOST_TEST(*colours.rbegin() == 63 * kLineSize);
}

BOOST_AUTO_TEST_CASE(first_slots_of_the_classes_have_different_colours) {
  const Geometry heap = make_geometry(std::span(config::kHeapClassSizes).subspan<1>(), 64 * kMiB,
                                      {.coloured_from = 32 * kKiB});
  std::set<size_t> colours;
  uint32_t coloured = 0;
  for (uint32_t i = 1; i <= heap.class_count; ++i) {
    const ClassGeometry& one = heap.classes[i];
    coloured += one.coloured ? 1 : 0;
    for (uint32_t slot = 0; slot < (one.coloured ? 2U : 0U); ++slot) {
      colours.insert(one.colour(SlotIndex{slot}));
    }
  }
  BOOST_TEST(coloured * 2 > colours.size());
  BOOST_TEST(colours.size() >= 48U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
