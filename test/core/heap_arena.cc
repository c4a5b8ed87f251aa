// SPDX-License-Identifier: MIT
#include "alloc/core/heap_arena.h"

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "alloc/base/bits.h"
#include "test/core/arena_fixture.h"
#include "test/os/faulty_memory.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

BOOST_FIXTURE_TEST_SUITE(heap_arena, testing::Unreserved<HeapArena>)

BOOST_AUTO_TEST_CASE(owns_nothing_before_it_is_reserved) { check_that_it_owns_nothing(); }

BOOST_AUTO_TEST_CASE(owns_an_aligned_range) {
  BOOST_REQUIRE(arena.reserve(40 * kMiB, 8 * kMiB));
  BOOST_TEST(arena.bytes() == 40 * kMiB);
  auto* base = static_cast<char*>(arena.at(0));
  BOOST_TEST(reinterpret_cast<uintptr_t>(base) % HeapArena::kAlignment == 0U);
  BOOST_TEST(arena.owns(base));
  BOOST_TEST(arena.owns(base + 40 * kMiB - 1));
  BOOST_TEST(!arena.owns(base - 1));
  BOOST_TEST(!arena.owns(base + 40 * kMiB));
  BOOST_TEST(!arena.owns(nullptr));
}

BOOST_AUTO_TEST_CASE(uncommitted_entries_are_clean_and_of_no_kind) {
  BOOST_REQUIRE(arena.reserve(8 * kMiB, 8 * kMiB));
  for (const size_t offset : {size_t{0}, 5 * kMiB, 8 * kMiB - 1}) {
    BOOST_TEST((arena.state_at(offset).load() == SlotState::kClean));
    BOOST_TEST((arena.entry_at(offset).class_index() == kNoClass));
  }
}

BOOST_AUTO_TEST_CASE(committed_pages_and_their_entries_are_usable) {
  BOOST_REQUIRE(arena.reserve(8 * kMiB, 8 * kMiB));
  BOOST_REQUIRE(arena.commit(Granule{512}, 512));
  BOOST_REQUIRE(arena.commit(Granule{512}, 512));
  for (size_t offset = 2 * kMiB; offset < 4 * kMiB; offset += kGranuleSize) {
    auto* page = static_cast<char*>(arena.at(offset));
    BOOST_REQUIRE(page[0] == 0);
    std::memset(page, 0x5a, kGranuleSize);
    arena.entry_at(offset + 100).set_class(ClassIndex{7});
    arena.state_at(offset + kGranuleSize - 1).store(SlotState::kFree);
  }
  BOOST_TEST((arena.entry(Granule{600}).class_index() == ClassIndex{7}));
  BOOST_TEST((arena.state(Granule{1023}).load() == SlotState::kFree));
  BOOST_TEST((arena.state(Granule{1024}).load() == SlotState::kClean));
}

BOOST_AUTO_TEST_CASE(a_refused_reservation_is_halved) {
  faulty::fail(faulty::Call::kReserve, 0, 2);
  BOOST_REQUIRE(arena.reserve(32 * kMiB, 8 * kMiB));
  BOOST_TEST(arena.bytes() == 8 * kMiB);
}

BOOST_AUTO_TEST_CASE(halves_are_whole_chunks) {
  faulty::fail(faulty::Call::kReserve, 0, 1);
  BOOST_REQUIRE(arena.reserve(22 * kMiB, 8 * kMiB));
  BOOST_TEST(arena.bytes() == 10 * kMiB);
}

BOOST_AUTO_TEST_CASE(too_little_is_nothing) {
  const uint64_t before = faulty::reserved_bytes();
  faulty::fail(faulty::Call::kReserve, 0, 2);
  BOOST_TEST(!arena.reserve(32 * kMiB, 16 * kMiB));
  BOOST_TEST(faulty::reserved_bytes() == before);
  BOOST_TEST(!arena.owns(&before));
}

BOOST_AUTO_TEST_CASE(refused_entries_give_the_range_back) {
  const uint64_t before = faulty::reserved_bytes();
  faulty::fail(faulty::Call::kReserve, 1, UINT64_MAX - 1);
  BOOST_TEST(!arena.reserve(32 * kMiB, 8 * kMiB));
  BOOST_TEST(faulty::reserved_bytes() == before);
  BOOST_TEST(!arena.owns(&before));
}

BOOST_AUTO_TEST_CASE(a_limit_on_address_space_leaves_most_to_the_program) {
  faulty::limit_address_space(96 * kMiB);
  BOOST_REQUIRE(arena.reserve(96 * kMiB, 8 * kMiB));
  BOOST_TEST(arena.bytes() <= 24 * kMiB);
  arena.release();
  faulty::limit_address_space(8 * kMiB);
  BOOST_TEST(!arena.reserve(96 * kMiB, 8 * kMiB));
}

BOOST_AUTO_TEST_CASE(a_refused_commit_says_so) {
  BOOST_REQUIRE(arena.reserve(8 * kMiB, 8 * kMiB));
  for (uint64_t call = 0; call < 2; ++call) {
    faulty::fail(faulty::Call::kCommit, call, 1);
    BOOST_TEST(!arena.commit(Granule{0}, 512));
  }
  BOOST_TEST(arena.commit(Granule{0}, 512));
}

BOOST_AUTO_TEST_CASE(purged_pages_read_as_zero_and_stay_usable) {
  BOOST_REQUIRE(arena.reserve(8 * kMiB, 8 * kMiB));
  BOOST_REQUIRE(arena.commit(Granule{0}, 4));
  auto* bytes = static_cast<char*>(arena.at(0));
  std::memset(bytes, 0x5a, 4 * kGranuleSize);
  BOOST_TEST(arena.purge(Granule{1}, 2));
  BOOST_TEST(bytes[kGranuleSize - 1] == 0x5a);
  BOOST_TEST(bytes[kGranuleSize] == 0);
  BOOST_TEST(bytes[3 * kGranuleSize - 1] == 0);
  BOOST_TEST(bytes[3 * kGranuleSize] == 0x5a);
  bytes[kGranuleSize] = 1;
  faulty::fail(faulty::Call::kPurge, 0, 1);
  BOOST_TEST(!arena.purge(Granule{1}, 2));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
