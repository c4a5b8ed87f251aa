// SPDX-License-Identifier: MIT
#include "alloc/core/geometry.h"

#include <boost/test/unit_test.hpp>
#include <span>

#include "alloc/config/size_classes.h"

namespace spillway::core {
namespace {

BOOST_AUTO_TEST_SUITE(geometry)

BOOST_AUTO_TEST_CASE(of_the_heap) {
  const Geometry heap =
      make_geometry(std::span(config::kHeapClassSizes).subspan<1>(), {.slow_bytes = 8 * kKiB});
  BOOST_TEST(heap.class_count == config::kHeapClassCount);
  uint32_t entries = 0;
  for (uint32_t i = 1; i <= heap.class_count; ++i) {
    const ClassGeometry& one = heap.classes[i];
    BOOST_TEST(one.block_size == config::kHeapClassSizes[i]);
    BOOST_TEST(!one.fixed_bins);
    BOOST_TEST(one.stack_offset >= entries);
    BOOST_TEST(one.first_capacity * one.block_size <= 8 * kKiB);
    BOOST_TEST(one.first_capacity <= one.flow_capacity);
    BOOST_TEST(one.flow_capacity <= one.max_capacity);
    BOOST_TEST(one.capacity_step >= 1U);
    entries = one.stack_offset + one.max_capacity;
  }
  BOOST_TEST(heap.stack_entries >= entries);
}

BOOST_AUTO_TEST_CASE(small_blocks_of_slow_threads_are_cached_and_large_ones_are_not) {
  const uint32_t sizes[] = {4 * kKiB, 512 * kKiB, kMiB};
  const Geometry three = make_geometry(sizes, {.slow_bytes = 8 * kKiB, .busy_bytes = 512 * kKiB});
  BOOST_TEST(three.classes[1].first_capacity == 2U);
  BOOST_TEST(three.classes[2].first_capacity == 0U);
  BOOST_TEST(three.classes[3].first_capacity == 0U);
  BOOST_TEST(three.classes[1].busy_capacity == 16U);
  BOOST_TEST(three.classes[2].busy_capacity == 1U);
  BOOST_TEST(three.classes[3].busy_capacity == 0U);
  const Geometry alike = make_geometry(sizes, {.slow_bytes = 8 * kKiB});
  BOOST_TEST(alike.classes[1].busy_capacity == alike.classes[1].first_capacity);
}

BOOST_AUTO_TEST_CASE(fixed_bins_have_one_capacity_whatever_the_size) {
  const uint32_t sizes[] = {4 * kKiB, kMiB};
  for (const uint32_t capacity : {0U, 1U, 40U}) {
    const Geometry two = make_geometry(sizes, {.fixed = true, .capacity = capacity});
    for (uint32_t i = 1; i <= 2; ++i) {
      const ClassGeometry& one = two.classes[i];
      BOOST_TEST(one.fixed_bins);
      BOOST_TEST(one.first_capacity == capacity);
      BOOST_TEST(one.flow_capacity == capacity);
      BOOST_TEST(one.max_capacity == capacity);
    }
    BOOST_TEST(two.classes[2].stack_offset >= two.classes[1].stack_offset + capacity);
    BOOST_TEST(two.stack_entries >= two.classes[2].stack_offset + capacity);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
