#include "alloc/core/geometry.h"

#include <boost/test/unit_test.hpp>

#include "alloc/config/size_classes.h"

namespace spillway::core {
namespace {

BOOST_AUTO_TEST_SUITE(geometry)

BOOST_AUTO_TEST_CASE(of_the_heap) {
  constexpr size_t kSpan = 64 * kMiB;
  const Geometry heap = make_geometry(std::span(config::kHeapClassSizes).subspan<1>(), kSpan);
  BOOST_TEST(heap.class_count == config::kHeapClassCount);
  uint32_t entries = 0;
  for (uint32_t i = 1; i <= heap.class_count; ++i) {
    const ClassGeometry& one = heap.classes[i];
    BOOST_TEST(one.block_size == config::kHeapClassSizes[i]);
    BOOST_TEST(size_t{one.slots} * one.stride_granules * kGranuleSize <= kSpan);
    BOOST_TEST(size_t{one.slots + 1} * one.stride_granules * kGranuleSize > kSpan);
    BOOST_TEST(one.stack_offset == entries);
    BOOST_TEST(one.first_capacity >= 1U);
    BOOST_TEST(one.first_capacity <= one.flow_capacity);
    BOOST_TEST(one.flow_capacity <= one.most_capacity);
    entries += one.most_capacity;
  }
  BOOST_TEST(heap.stack_entries == entries);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
