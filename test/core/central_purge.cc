// SPDX-License-Identifier: MIT
// How the memory of a class's free slots goes back to the kernel, see central.h.
#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "test/core/central_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(central_purge, CentralFixture)

BOOST_AUTO_TEST_CASE(purged_blocks_are_clean_and_zero_and_usable) {
  const std::vector<void*> blocks = take_dirty(100);
  put(blocks);
  const uint32_t untouched = central.count_clean();
  BOOST_TEST(purge_all() == 100 * size);
  BOOST_TEST(!refused);
  BOOST_TEST(central.count_dirty() == 0U);
  BOOST_TEST(central.count_clean() == untouched + 100);
  for (const void* block : blocks) {
    BOOST_REQUIRE((state(block).load() == SlotState::kClean));
    BOOST_REQUIRE(is_filled_with(block, 0));
    BOOST_REQUIRE(central.is_free(block));
  }
  const std::vector<void*> again = take_dirty(100);
  BOOST_TEST((std::set<void*>(again.begin(), again.end()) ==
              std::set<void*>(blocks.begin(), blocks.end())));
  put(again);
  BOOST_TEST(purge_all() == 100 * size);
}

BOOST_AUTO_TEST_CASE(purging_leaves_live_blocks_alone) {
  const std::vector<void*> blocks = take_dirty(300);
  std::vector<void*> live;
  std::vector<void*> free;
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    (i % 3 == 0 ? live : free).push_back(blocks[i]);
  }
  put(free);
  BOOST_TEST(purge_all() == free.size() * size);
  for (const void* block : live) {
    BOOST_REQUIRE(is_filled_with(block, 0x5a));
    BOOST_REQUIRE((state(block).load() == live_state(0)));
    BOOST_REQUIRE(!central.is_free(block));
  }
}

BOOST_AUTO_TEST_CASE(take_prefers_dirty_to_clean_to_untouched) {
  std::vector<void*> blocks = take_dirty(3);
  put({blocks[0]});
  purge_all();
  put({blocks[2]});
  for (uint32_t expected : {2U, 0U}) {
    void* block = nullptr;
    BOOST_REQUIRE(central.take(hint, &block, 1) == 1U);
    BOOST_TEST(block == blocks[expected]);
  }
  void* fresh = nullptr;
  BOOST_REQUIRE(central.take(hint, &fresh, 1) == 1U);
  BOOST_TEST(offset(fresh) == 3 * size);
}

BOOST_AUTO_TEST_CASE(a_step_is_bounded_in_bytes_and_goes_on_where_it_ended) {
  put(take_dirty(150));
  uint64_t sum = 0;
  uint32_t steps = 0;
  for (uint64_t bytes; (bytes = purge(3 * size + 1)) != 0; ++steps) {
    BOOST_TEST(bytes <= 3 * size);
    sum += bytes;
  }
  BOOST_TEST(sum == 150 * size);
  BOOST_TEST(steps >= 50U);
  BOOST_TEST(steps <= 53U);  // a shorter one at the end of each word
  BOOST_TEST(cursor == 0U);
}

BOOST_AUTO_TEST_CASE(a_step_is_at_least_one_slot) {
  put(take_dirty(2));
  BOOST_TEST(purge(1) == size);
  BOOST_TEST(purge(0) == size);
  BOOST_TEST(purge(1) == 0U);
}

BOOST_AUTO_TEST_CASE(neighbours_go_in_one_call) {
  put(take_dirty(64));
  const uint64_t before = faulty::calls(faulty::Call::kPurge);
  BOOST_TEST(purge(kGiB) == 64 * size);
  BOOST_TEST(faulty::calls(faulty::Call::kPurge) == before + 1);
}

BOOST_AUTO_TEST_CASE(a_refused_purge_leaves_slots_dirty_and_loses_none) {
  const std::vector<void*> blocks = take_dirty(150);
  put(blocks);
  const uint32_t untouched = central.count_clean();
  faulty::fail(faulty::Call::kPurge, 0, UINT64_MAX);
  uint32_t steps = 0;
  do {
    BOOST_TEST(purge(kGiB) == 0U);
    ++steps;
  } while (cursor != 0 && steps < 100);
  BOOST_TEST(steps < 100U);
  BOOST_TEST(refused);
  BOOST_TEST(central.count_dirty() == 150U);
  BOOST_TEST(central.count_clean() == untouched);
  for (const void* block : blocks) {
    BOOST_REQUIRE((state(block).load() == SlotState::kFree));
  }
  faulty::reset();
  refused = false;
  BOOST_TEST(purge_all() == 150 * size);
  BOOST_TEST(!refused);
}

BOOST_AUTO_TEST_CASE(of_two_runs_in_a_word_one_may_be_refused) {
  const std::vector<void*> blocks = take_dirty(10);
  put({blocks[1], blocks[2], blocks[5]});
  faulty::fail(faulty::Call::kPurge, 0, 1);
  BOOST_TEST(purge(kGiB) == size);
  BOOST_TEST(refused);
  BOOST_TEST((state(blocks[1]).load() == SlotState::kFree));
  BOOST_TEST((state(blocks[2]).load() == SlotState::kFree));
  BOOST_TEST((state(blocks[5]).load() == SlotState::kClean));
  BOOST_TEST(central.count_dirty() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
