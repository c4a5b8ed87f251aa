// SPDX-License-Identifier: MIT
#include "alloc/guard/slot_classes.h"

#include <boost/test/unit_test.hpp>

namespace spillway::guard {
namespace {

BOOST_AUTO_TEST_SUITE(guard_slot_classes)

BOOST_AUTO_TEST_CASE(each_size_has_a_class_that_is_not_much_longer) {
  for (const size_t page : {4 * kKiB, 16 * kKiB, 64 * kKiB}) {
    SlotClasses classes;
    classes.start(page);
    BOOST_TEST_REQUIRE(classes.count() <= kMaxSlotClasses);
    for (size_t size = 1; size <= kMaxPagedBytes; size += 1 + size / 50) {
      const uint32_t index = classes.fitting(size, false);
      BOOST_TEST_REQUIRE(index < classes.count());
      const size_t bytes = classes[index].block_bytes;
      BOOST_TEST_REQUIRE(bytes >= size);
      BOOST_TEST_REQUIRE(bytes <= size + std::max(size / 4, size > kMaxSmallSlot ? page : 32));
      BOOST_TEST_REQUIRE((index == 0 || classes[index - 1].block_bytes < size));
    }
  }
}

BOOST_AUTO_TEST_CASE(paged_ones_have_a_page_in_front) {
  SlotClasses classes;
  classes.start(4 * kKiB);
  const uint32_t index = classes.fitting(1, true);
  BOOST_TEST(classes[index].paged);
  BOOST_TEST(classes[index].block_bytes == 4 * kKiB);
  BOOST_TEST(classes[index].slot_bytes == 8 * kKiB);
  BOOST_TEST(!classes[classes.fitting(1, false)].paged);
  BOOST_TEST(!classes[classes.fitting(kMaxSmallSlot, false)].paged);
  BOOST_TEST(classes[classes.fitting(kMaxSmallSlot + 1, false)].paged);
}

BOOST_AUTO_TEST_CASE(what_is_too_long_has_none) {
  SlotClasses classes;
  classes.start(4 * kKiB);
  BOOST_TEST(classes.fitting(kMaxPagedBytes, false) == classes.count() - 1);
  BOOST_TEST(classes.fitting(kMaxPagedBytes + 1, false) == SlotClasses::kNone);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::guard
