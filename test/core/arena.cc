// SPDX-License-Identifier: MIT
#include "alloc/core/arena.h"

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "alloc/base/bits.h"
#include "test/core/arena_fixture.h"
#include "test/os/faulty_memory.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

BOOST_FIXTURE_TEST_SUITE(arena, testing::Unreserved<Arena>)

BOOST_AUTO_TEST_CASE(owns_nothing_before_it_is_reserved) { check_that_it_owns_nothing(); }

BOOST_AUTO_TEST_CASE(spans_are_aligned_and_addresses_map_to_classes) {
  BOOST_REQUIRE(arena.reserve(5, 8 * kMiB, Arena::kAlignment));
  BOOST_TEST(arena.span_bytes() == 8 * kMiB);
  BOOST_TEST(arena.bytes() == 5 * 8 * kMiB);
  for (uint8_t i = 1; i <= 5; ++i) {
    const Granule first = arena.first_granule(ClassIndex{i});
    BOOST_TEST(reinterpret_cast<uintptr_t>(arena.address(first)) % Arena::kAlignment == 0U);
    BOOST_TEST(raw(arena.class_of(first)) == i);
    const Granule last{raw(first) + static_cast<uint32_t>(8 * kMiB / kGranuleSize) - 1};
    BOOST_TEST(raw(arena.class_of(last)) == i);
  }
  auto* base = static_cast<char*>(arena.address(Granule{0}));
  BOOST_TEST(arena.owns(base));
  BOOST_TEST(arena.owns(base + arena.bytes() - 1));
  BOOST_TEST(!arena.owns(base - 1));
  BOOST_TEST(!arena.owns(base + arena.bytes()));
  BOOST_TEST(!arena.owns(nullptr));
}

BOOST_AUTO_TEST_CASE(the_base_is_not_the_same_twice) {
  BOOST_REQUIRE(arena.reserve(1, 8 * kMiB, Arena::kAlignment));
  Arena other;
  BOOST_REQUIRE(other.reserve(1, 8 * kMiB, Arena::kAlignment));
  BOOST_TEST(arena.address(Granule{0}) != other.address(Granule{0}));
  other.release();
}

BOOST_AUTO_TEST_CASE(uncommitted_states_read_as_clean) {
  BOOST_REQUIRE(arena.reserve(2, 8 * kMiB, Arena::kAlignment));
  BOOST_TEST((arena.state(Granule{4095}).load() == SlotState::kClean));
}

BOOST_AUTO_TEST_CASE(committed_granules_are_usable) {
  BOOST_REQUIRE(arena.reserve(2, 8 * kMiB, Arena::kAlignment));
  BOOST_REQUIRE(arena.commit(ClassIndex{2}, 0, 4));
  const Granule first = arena.first_granule(ClassIndex{2});
  std::memset(arena.address(first), 0x5a, 4 * kGranuleSize);
  arena.state(first).store(SlotState::kFree);
  BOOST_TEST((arena.state(first).load() == SlotState::kFree));
}

BOOST_AUTO_TEST_CASE(a_refused_reservation_is_halved) {
  faulty::fail(faulty::Call::kReserve, 0, 2);
  BOOST_REQUIRE(arena.reserve(3, 32 * kMiB, Arena::kAlignment));
  BOOST_TEST(arena.span_bytes() == 8 * kMiB);
}

BOOST_AUTO_TEST_CASE(refused_states_give_the_range_back) {
  const uint64_t before = faulty::reserved_bytes();
  faulty::fail(faulty::Call::kReserve, 1, UINT64_MAX - 1);
  BOOST_TEST(!arena.reserve(3, 4 * kMiB, Arena::kAlignment));
  BOOST_TEST(faulty::reserved_bytes() == before);
  BOOST_TEST(!arena.owns(&before));
}

BOOST_AUTO_TEST_CASE(a_limit_on_address_space_leaves_most_to_the_program) {
  faulty::limit_address_space(96 * kMiB);
  BOOST_REQUIRE(arena.reserve(3, 32 * kMiB, Arena::kAlignment));
  BOOST_TEST(arena.bytes() <= 24 * kMiB);
  arena.release();
  faulty::limit_address_space(8 * kMiB);
  BOOST_TEST(!arena.reserve(28, 32 * kMiB, Arena::kAlignment));
}

BOOST_AUTO_TEST_CASE(a_refused_commit_says_so) {
  BOOST_REQUIRE(arena.reserve(2, 8 * kMiB, Arena::kAlignment));
  faulty::fail(faulty::Call::kCommit, 0, 1);
  BOOST_TEST(!arena.commit(ClassIndex{1}, 0, 4));
  faulty::fail(faulty::Call::kCommit, 1, 1);
  BOOST_TEST(!arena.commit(ClassIndex{1}, 0, 4));
  BOOST_TEST(arena.commit(ClassIndex{1}, 0, 4));
}

BOOST_AUTO_TEST_CASE(purged_granules_read_as_zero_and_stay_usable) {
  BOOST_REQUIRE(arena.reserve(2, 8 * kMiB, Arena::kAlignment));
  BOOST_REQUIRE(arena.commit(ClassIndex{2}, 0, 4));
  const Granule first = arena.first_granule(ClassIndex{2});
  auto* bytes = static_cast<char*>(arena.address(first));
  std::memset(bytes, 0x5a, 4 * kGranuleSize);
  BOOST_TEST(arena.purge(Granule{raw(first) + 1}, 2));
  BOOST_TEST(bytes[kGranuleSize - 1] == 0x5a);
  BOOST_TEST(bytes[kGranuleSize] == 0);
  BOOST_TEST(bytes[3 * kGranuleSize - 1] == 0);
  BOOST_TEST(bytes[3 * kGranuleSize] == 0x5a);
  bytes[kGranuleSize] = 1;
  faulty::fail(faulty::Call::kPurge, 0, 1);
  BOOST_TEST(!arena.purge(Granule{raw(first) + 1}, 2));
}

BOOST_AUTO_TEST_CASE(granules_may_be_of_another_size) {
  constexpr unsigned kShift = 9;
  BOOST_REQUIRE(arena.reserve(3, 8 * kMiB, Arena::kAlignment, kShift));
  BOOST_TEST(arena.granule_shift() == kShift);
  const Granule second = arena.first_granule(ClassIndex{2});
  BOOST_TEST(raw(second) == 8 * kMiB >> kShift);
  BOOST_TEST(arena.offset(arena.address(second)) == 8 * kMiB);
  BOOST_TEST(raw(arena.granule_at(8 * kMiB + 511)) == raw(second));
  BOOST_TEST(raw(arena.granule_at(8 * kMiB + 512)) == raw(second) + 1);
  BOOST_TEST(arena.span_at(8 * kMiB) == 1U);
  BOOST_TEST(arena.span_at(8 * kMiB - 1) == 0U);
  BOOST_REQUIRE(arena.commit(ClassIndex{2}, 1, 3));  // no whole pages
  static_cast<char*>(arena.address(second))[512] = 1;
  arena.state(Granule{raw(second) + 1}).store(SlotState::kFree);
  BOOST_TEST((arena.state(second).load() == SlotState::kClean));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
