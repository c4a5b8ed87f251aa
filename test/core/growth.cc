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
    const uint32_t sizes[] = {12 * kKiB, 64 * kKiB};
    BOOST_REQUIRE(arena.reserve(2, 16 * kMiB, Arena::kSpanAlignment));
    geometry = make_geometry(sizes, arena.span_bytes());
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

BOOST_AUTO_TEST_CASE(hands_out_neighbours_in_order_that_are_usable_and_zero) {
  SlotIndex first{99};
  BOOST_TEST(growth.take(4, first) == 4U);
  BOOST_TEST(raw(first) == 0U);
  BOOST_TEST(growth.take(2, first) == 2U);
  BOOST_TEST(raw(first) == 4U);
  BOOST_TEST(size.bytes() == 6U * 12 * kKiB);
  auto* memory = static_cast<char*>(arena.address(arena.first_granule(ClassIndex{1})));
  for (size_t i = 0; i < 6 * 12 * kKiB; i += 512) {
    BOOST_REQUIRE(memory[i] == 0);
    memory[i] = 1;
  }
}

BOOST_AUTO_TEST_CASE(ends_when_the_span_is_used_up) {
  const uint32_t slots = geometry.of(ClassIndex{1}).slots;
  SlotIndex first;
  uint32_t sum = 0;
  for (uint32_t count; (count = growth.take(100, first)) != 0;) {
    sum += count;
  }
  BOOST_TEST(sum == slots);
  BOOST_TEST(growth.taken() == slots);
  BOOST_TEST(growth.committed() == slots);
}

BOOST_AUTO_TEST_CASE(asks_for_less_when_a_chunk_is_refused) {
  faulty::fail(faulty::Call::kCommit, 0, 1);
  SlotIndex first;
  BOOST_TEST(growth.take(3, first) == 3U);
  BOOST_TEST(growth.committed() == 3U);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_no_slot_and_is_got_over) {
  faulty::fail(faulty::Call::kCommit, 0, 3);
  SlotIndex first;
  BOOST_TEST(growth.take(3, first) == 0U);
  BOOST_TEST(growth.taken() == 0U);
  BOOST_TEST(growth.take(3, first) == 3U);
  BOOST_TEST(raw(first) == 0U);
}

BOOST_AUTO_TEST_CASE(threads_get_different_slots) {
  const uint32_t slots = geometry.of(ClassIndex{1}).slots;
  std::vector<std::atomic<int>> owners(slots);
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      SlotIndex first;
      for (uint32_t count; (count = growth.take(number + 1, first)) != 0;) {
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
