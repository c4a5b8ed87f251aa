#include "alloc/core/arena.h"

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "alloc/base/bits.h"
#include "test/os/faulty_memory.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

struct ArenaFixture {
  ArenaFixture() { faulty::reset(); }
  ~ArenaFixture() {
    arena.release();
    faulty::reset();
  }
  Arena arena;
};

BOOST_FIXTURE_TEST_SUITE(arena, ArenaFixture)

BOOST_AUTO_TEST_CASE(owns_nothing_before_it_is_reserved) {
  int local = 0;
  BOOST_TEST(!arena.owns(nullptr));
  BOOST_TEST(!arena.owns(&local));
  BOOST_TEST(!arena.owns(reinterpret_cast<void*>(UINTPTR_MAX)));
}

BOOST_AUTO_TEST_CASE(spans_are_aligned_and_addresses_map_to_classes) {
  BOOST_REQUIRE(arena.reserve(5, 8 * kMiB, Arena::kSpanAlignment));
  BOOST_TEST(arena.span_bytes() == 8 * kMiB);
  BOOST_TEST(arena.bytes() == 5 * 8 * kMiB);
  for (uint8_t i = 1; i <= 5; ++i) {
    const Granule first = arena.first_granule(ClassIndex{i});
    BOOST_TEST(reinterpret_cast<uintptr_t>(arena.address(first)) % Arena::kSpanAlignment == 0U);
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
  BOOST_REQUIRE(arena.reserve(1, 8 * kMiB, Arena::kSpanAlignment));
  Arena other;
  BOOST_REQUIRE(other.reserve(1, 8 * kMiB, Arena::kSpanAlignment));
  BOOST_TEST(arena.address(Granule{0}) != other.address(Granule{0}));
  other.release();
}

BOOST_AUTO_TEST_CASE(uncommitted_states_read_as_clean) {
  BOOST_REQUIRE(arena.reserve(2, 8 * kMiB, Arena::kSpanAlignment));
  BOOST_TEST((arena.state(Granule{4095}).load() == SlotState::kClean));
}

BOOST_AUTO_TEST_CASE(committed_granules_are_usable) {
  BOOST_REQUIRE(arena.reserve(2, 8 * kMiB, Arena::kSpanAlignment));
  BOOST_REQUIRE(arena.commit(ClassIndex{2}, 0, 4));
  const Granule first = arena.first_granule(ClassIndex{2});
  std::memset(arena.address(first), 0x5a, 4 * kGranuleSize);
  arena.state(first).store(SlotState::kFree);
  BOOST_TEST((arena.state(first).load() == SlotState::kFree));
}

BOOST_AUTO_TEST_CASE(a_refused_reservation_is_halved) {
  faulty::fail(faulty::Call::kReserve, 0, 2);
  BOOST_REQUIRE(arena.reserve(3, 32 * kMiB, Arena::kSpanAlignment));
  BOOST_TEST(arena.span_bytes() == 8 * kMiB);
}

BOOST_AUTO_TEST_CASE(refused_states_give_the_range_back) {
  const uint64_t before = faulty::reserved_bytes();
  faulty::fail(faulty::Call::kReserve, 1, UINT64_MAX - 1);
  BOOST_TEST(!arena.reserve(3, 4 * kMiB, Arena::kSpanAlignment));
  BOOST_TEST(faulty::reserved_bytes() == before);
  BOOST_TEST(!arena.owns(&before));
}

BOOST_AUTO_TEST_CASE(a_limit_on_address_space_leaves_most_to_the_program) {
  faulty::limit_address_space(96 * kMiB);
  BOOST_REQUIRE(arena.reserve(3, 32 * kMiB, Arena::kSpanAlignment));
  BOOST_TEST(arena.bytes() <= 24 * kMiB);
  arena.release();
  faulty::limit_address_space(8 * kMiB);
  BOOST_TEST(!arena.reserve(28, 32 * kMiB, Arena::kSpanAlignment));
}

BOOST_AUTO_TEST_CASE(a_refused_commit_says_so) {
  BOOST_REQUIRE(arena.reserve(2, 8 * kMiB, Arena::kSpanAlignment));
  faulty::fail(faulty::Call::kCommit, 0, 1);
  BOOST_TEST(!arena.commit(ClassIndex{1}, 0, 4));
  faulty::fail(faulty::Call::kCommit, 1, 1);
  BOOST_TEST(!arena.commit(ClassIndex{1}, 0, 4));
  BOOST_TEST(arena.commit(ClassIndex{1}, 0, 4));
}

BOOST_AUTO_TEST_CASE(purged_granules_read_as_zero_and_stay_usable) {
  BOOST_REQUIRE(arena.reserve(2, 8 * kMiB, Arena::kSpanAlignment));
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

BOOST_AUTO_TEST_CASE(classes_of_large_spans_start_at_different_sets) {
  BOOST_REQUIRE(arena.reserve(8, 512 * kMiB, Arena::kSpanAlignment));
  for (uint8_t i = 1; i <= 8; ++i) {
    const size_t start = arena.offset(arena.address(arena.first_granule(ClassIndex{i})));
    BOOST_TEST(start / arena.span_bytes() == i - 1U);
    BOOST_TEST(start % arena.span_bytes() + arena.class_bytes() <= arena.span_bytes());
    BOOST_TEST((start >> kGranuleShift) % 64 == 0U);  // groups of state bytes begin with a line
    for (uint8_t j = 1; j < i; ++j) {
      const uint32_t apart =
          raw(arena.first_granule(ClassIndex{i})) - raw(arena.first_granule(ClassIndex{j}));
      BOOST_TEST(apart % 4096 != 0U);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
