// SPDX-License-Identifier: MIT
#include "alloc/core/growth.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "alloc/base/bits.h"
#include "test/os/faulty_memory.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

constexpr size_t kSpan = 16 * kMiB;

struct GrowthFixture {
  GrowthFixture() {
    faulty::reset();
    BOOST_REQUIRE(arena.reserve(2, kSpan, Arena::kAlignment));
    growth.attach(arena, ClassIndex{1}, layout);
  }
  ~GrowthFixture() {
    arena.release();
    faulty::reset();
  }
  const SlotLayout layout{3, static_cast<uint32_t>(kSpan / (12 * kKiB))};
  Arena arena;
  Growth growth;
};

BOOST_FIXTURE_TEST_SUITE(growth, GrowthFixture)

BOOST_AUTO_TEST_CASE(hands_out_slots_in_order_that_are_usable_and_zero) {
  SlotIndex first{99};
  BOOST_TEST(growth.take(22, first) == 22U);
  BOOST_TEST(raw(first) == 0U);
  BOOST_TEST(growth.take(1, first) == 1U);
  BOOST_TEST(raw(first) == 22U);
  BOOST_TEST(growth.take(63, first) == 63U);
  BOOST_TEST(raw(first) == 23U);
  BOOST_TEST(growth.taken() == 86U);
  auto* memory = static_cast<char*>(arena.address(arena.first_granule(ClassIndex{1})));
  for (size_t i = 0; i < 86 * 12 * kKiB; i += 512) {
    BOOST_REQUIRE(memory[i] == 0);
    memory[i] = 1;
  }
}

BOOST_AUTO_TEST_CASE(ends_when_the_slots_are_used_up) {
  SlotIndex first;
  uint32_t sum = 0;
  for (uint32_t count; (count = growth.take(100, first)) != 0;) {
    BOOST_REQUIRE(count <= 100U);
    BOOST_REQUIRE(raw(first) == sum);
    sum += count;
  }
  BOOST_TEST(sum == layout.slots);
  BOOST_TEST(growth.taken() == layout.slots);
  BOOST_TEST(growth.committed() == layout.slots);
  BOOST_TEST(faulty::calls(faulty::Call::kCommit) > 4U);
}

BOOST_AUTO_TEST_CASE(fewer_slots_than_the_span_has_room_for_are_all_there_are) {
  Growth few;
  few.attach(arena, ClassIndex{2}, {3, 5});
  SlotIndex first;
  BOOST_TEST(few.take(4, first) == 4U);
  BOOST_TEST(few.take(4, first) == 1U);
  BOOST_TEST(few.take(4, first) == 0U);
}

BOOST_AUTO_TEST_CASE(asks_for_one_slot_when_a_step_is_refused) {
  faulty::fail(faulty::Call::kCommit, 0, 1);
  SlotIndex first;
  BOOST_TEST(growth.take(22, first) == 1U);
  BOOST_TEST(growth.committed() == 1U);
  BOOST_TEST(growth.take(21, first) == 21U);
  BOOST_TEST(raw(first) == 1U);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_no_slot_and_is_got_over) {
  faulty::fail(faulty::Call::kCommit, 0, 2);
  SlotIndex first;
  BOOST_TEST(growth.take(22, first) == 0U);
  BOOST_TEST(growth.taken() == 0U);
  BOOST_TEST(growth.take(22, first) == 22U);
  BOOST_TEST(raw(first) == 0U);
}

BOOST_AUTO_TEST_CASE(a_sealed_arena_grows_no_further) {
  SlotIndex first;
  BOOST_TEST(growth.take(1, first) == 1U);
  BOOST_REQUIRE(arena.seal());
  while (growth.take(100, first) != 0) {
  }
  BOOST_TEST(growth.taken() == growth.committed());
  BOOST_TEST(growth.taken() < layout.slots);
}

BOOST_AUTO_TEST_CASE(threads_get_different_slots) {
  std::vector<std::atomic<int>> owners(layout.slots);
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      SlotIndex first;
      for (uint32_t count; (count = growth.take(5, first)) != 0;) {
        for (uint32_t i = 0; i < count; ++i) {
          owners[raw(first) + i].fetch_add(1);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& owner : owners) {
    BOOST_REQUIRE(owner == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
