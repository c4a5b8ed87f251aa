// SPDX-License-Identifier: MIT
#include "alloc/core/central.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "test/core/central_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(central, CentralFixture)

BOOST_AUTO_TEST_CASE(blocks_are_a_stride_apart_from_the_span_on) {
  void* blocks[4];
  BOOST_REQUIRE(central.take(hint, blocks, 4) == 4U);
  for (uint32_t i = 0; i < 4; ++i) {
    BOOST_TEST(offset(blocks[i]) == i * size);
  }
  BOOST_TEST(central.grown() == 4U);
  BOOST_TEST(central.count_free() == 0U);
}

BOOST_AUTO_TEST_CASE(as_many_blocks_come_as_are_wanted_wherever_they_are) {
  const std::vector<void*> blocks = take_dirty(500);
  put({blocks.begin(), blocks.begin() + 100});
  purge_all();
  put({blocks.begin() + 100, blocks.begin() + 200});
  std::vector<void*> again(400);
  BOOST_TEST(central.take(hint, again.data(), 400) == 400U);
  BOOST_TEST((std::set<void*>(again.begin(), again.end()).size() == 400U));
  BOOST_TEST(central.count_free() == 0U);
  BOOST_TEST(central.grown() == 700U);
}

BOOST_AUTO_TEST_CASE(freed_blocks_come_before_untouched_ones) {
  void* blocks[4];
  BOOST_REQUIRE(central.take(hint, blocks, 4) == 4U);
  BOOST_TEST(central.put(hint, blocks + 1, 2) == nullptr);
  void* again[3];
  BOOST_TEST(central.take(hint, again, 3) == 3U);
  BOOST_TEST((std::set<void*>(again, again + 2) == std::set<void*>(blocks + 1, blocks + 3)));
  BOOST_TEST(offset(again[2]) == 4 * size);
}

BOOST_AUTO_TEST_CASE(a_block_put_twice_is_named) {
  void* block = nullptr;
  BOOST_REQUIRE(central.take(hint, &block, 1) == 1U);
  BOOST_TEST(!central.is_free(block));
  BOOST_TEST(central.put(hint, &block, 1) == nullptr);
  BOOST_TEST(central.is_free(block));
  BOOST_TEST(central.put(hint, &block, 1) == block);
  BOOST_TEST(central.count_free() == 1U);
  purge_all();
  BOOST_TEST(central.is_free(block));
  BOOST_TEST(central.put(hint, &block, 1) == block);
  BOOST_TEST(central.count_free() == 1U);
}

BOOST_AUTO_TEST_CASE(interior_granules_know_their_slot) {
  const uint32_t first = raw(arena.first_granule(kIndex));
  BOOST_TEST(raw(central.slot_of(Granule{first + 4})) == 0U);
  BOOST_TEST(raw(central.slot_of(Granule{first + 5})) == 1U);
  BOOST_TEST(raw(central.slot_of(Granule{first + 13})) == 2U);
  BOOST_TEST(raw(central.granule_of(SlotIndex{2})) == first + 10);
  BOOST_TEST(central.block_of(SlotIndex{2}) == arena.address(Granule{first + 10}));
}

BOOST_AUTO_TEST_CASE(a_full_class_gives_nothing) {
  std::vector<void*> blocks(layout.slots + 1);
  BOOST_TEST(central.take(hint, blocks.data(), layout.slots + 1) == layout.slots);
  BOOST_TEST(central.take(hint, blocks.data(), 1) == 0U);
  BOOST_TEST(central.grown() == central.slots());
}

BOOST_AUTO_TEST_CASE(newcomers_start_at_different_words) {
  take_dirty(200);
  BOOST_TEST(central.start_hint(0) != central.start_hint(1));
  for (uint32_t newcomer = 0; newcomer < 1000; ++newcomer) {
    BOOST_REQUIRE(central.start_hint(newcomer) <= 199 / Freelist::kSlotsPerWord);
  }
}

struct WholeWords : CentralFixture {
  WholeWords() : CentralFixture(16 * kKiB) {}
};

BOOST_FIXTURE_TEST_CASE(newcomers_to_a_class_in_full_use_start_inside_the_freelist, WholeWords) {
  BOOST_REQUIRE(layout.slots % Freelist::kSlotsPerWord == 0U);
  std::vector<void*> blocks(layout.slots);
  BOOST_REQUIRE(central.take(hint, blocks.data(), layout.slots) == layout.slots);
  for (uint32_t newcomer = 0; newcomer < 1000; ++newcomer) {
    BOOST_REQUIRE(central.start_hint(newcomer) < layout.slots / Freelist::kSlotsPerWord);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
