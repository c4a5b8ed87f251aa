#include "alloc/core/growth.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <thread>
#include <vector>

#include "test/os/faulty_memory.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

struct GrowthFixture {
  GrowthFixture() {
    faulty::reset();
    const uint32_t sizes[] = {12 * kKiB, 320 * kKiB};
    BOOST_REQUIRE(arena.reserve(2, 16 * kMiB, Arena::kSpanAlignment));
    geometry = make_geometry(sizes, arena.class_bytes(), {});
    growth.attach(arena, ClassIndex{1}, geometry.of(ClassIndex{1}), size);
  }
  ~GrowthFixture() {
    arena.release();
    faulty::reset();
  }
  Arena arena;
  Geometry geometry;
  PoolSize size;
  Growth growth;
};

BOOST_FIXTURE_TEST_SUITE(growth, GrowthFixture)

// State bytes of 12 KiB blocks: 22, 21 and 21 start in each three lines.
BOOST_AUTO_TEST_CASE(hands_out_groups_in_order_that_are_usable_and_zero) {
  SlotIndex first{99};
  BOOST_TEST(growth.take_group(first) == 22U);
  BOOST_TEST(raw(first) == 0U);
  BOOST_TEST(growth.take_group(first) == 21U);
  BOOST_TEST(raw(first) == 22U);
  BOOST_TEST(growth.take_group(first) == 21U);
  BOOST_TEST(raw(first) == 43U);
  BOOST_TEST(growth.take_group(first) == 22U);
  BOOST_TEST(size.bytes() == 86U * 12 * kKiB);
  auto* memory = static_cast<char*>(arena.address(arena.first_granule(ClassIndex{1})));
  for (size_t i = 0; i < 86 * 12 * kKiB; i += 512) {
    BOOST_REQUIRE(memory[i] == 0);
    memory[i] = 1;
  }
}

BOOST_AUTO_TEST_CASE(slots_with_lines_of_their_own_come_one_by_one) {
  Growth large;
  large.attach(arena, ClassIndex{2}, geometry.of(ClassIndex{2}), size);
  SlotIndex first{99};
  for (uint32_t slot = 0; slot < 20; ++slot) {
    BOOST_TEST(large.take_group(first) == 1U);
    BOOST_TEST(raw(first) == slot);
  }
}

BOOST_AUTO_TEST_CASE(no_group_is_split_by_the_end_of_a_chunk) {
  SlotIndex first{0};
  uint32_t next = 0;
  const GroupLayout& groups = geometry.of(ClassIndex{1}).groups;
  for (uint32_t count; (count = growth.take_group(first)) != 0; next += count) {
    BOOST_REQUIRE(raw(first) == next);
    BOOST_REQUIRE(groups.first_slot(groups.group_of(next)) == next);
  }
  BOOST_TEST(faulty::calls(faulty::Call::kCommit) > 4U);
}

BOOST_AUTO_TEST_CASE(ends_when_the_span_is_used_up) {
  const uint32_t slots = geometry.of(ClassIndex{1}).slots;
  SlotIndex first;
  uint32_t sum = 0;
  for (uint32_t count; (count = growth.take_group(first)) != 0;) {
    sum += count;
  }
  BOOST_TEST(sum == slots);
  BOOST_TEST(growth.taken() == slots);
  BOOST_TEST(growth.committed() == slots);
}

BOOST_AUTO_TEST_CASE(asks_for_one_slot_when_a_chunk_is_refused) {
  faulty::fail(faulty::Call::kCommit, 0, 1);
  SlotIndex first;
  BOOST_TEST(growth.take_group(first) == 1U);
  BOOST_TEST(growth.committed() == 1U);
  BOOST_TEST(growth.take_group(first) == 21U);
  BOOST_TEST(raw(first) == 1U);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_no_slot_and_is_got_over) {
  faulty::fail(faulty::Call::kCommit, 0, 2);
  SlotIndex first;
  BOOST_TEST(growth.take_group(first) == 0U);
  BOOST_TEST(growth.taken() == 0U);
  BOOST_TEST(growth.take_group(first) == 22U);
  BOOST_TEST(raw(first) == 0U);
}

BOOST_AUTO_TEST_CASE(threads_get_different_slots) {
  const uint32_t slots = geometry.of(ClassIndex{1}).slots;
  std::vector<std::atomic<int>> owners(slots);
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      SlotIndex first;
      for (uint32_t count; (count = growth.take_group(first)) != 0;) {
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
