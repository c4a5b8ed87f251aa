// SPDX-License-Identifier: MIT
#include "alloc/core/wide_slots.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <set>
#include <vector>

#include "test/core/wide_slots_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(wide_slots, WideFixture)

BOOST_AUTO_TEST_CASE(a_block_is_usable_up_to_the_end_of_its_last_page) {
  for (const size_t size : {size_t{1}, kMiB, kMiB + 1, 3 * kMiB - 1, wide.max_bytes()}) {
    void* block = get_dirty(size);
    BOOST_TEST(wide.usable(block) >= size);
    BOOST_TEST(wide.usable(block) < size + kGranuleSize);
    BOOST_TEST(holds(block, 0, wide.usable(block), 0x5a));
    give(block);
    purge_all();
  }
  BOOST_TEST(!refused);
}

BOOST_AUTO_TEST_CASE(blocks_are_in_slots_of_their_own) {
  BOOST_TEST(wide.max_bytes() > kSlot - 2 * kGranuleSize);
  BOOST_TEST(wide.max_bytes() < kSlot);
  std::set<uint32_t> starts;
  std::set<size_t> colours;
  for (uint32_t i = 0; i < kSlots; ++i) {
    void* block = get(wide.max_bytes());
    BOOST_REQUIRE(block != nullptr);
    const size_t offset = arena.offset(block);
    const Granule last = arena.granule_at(offset + wide.max_bytes() - 1);
    BOOST_TEST(wide.owns(arena.offset(arena.address(last))));
    BOOST_TEST(wide.was_used(wide.slot_start(last)));
    BOOST_TEST(wide.block_of(last) == block);
    BOOST_TEST(raw(wide.slot_start(last)) == raw(arena.granule_at(offset)));
    starts.insert(raw(wide.slot_start(last)));
    colours.insert(inside_granule(offset));
  }
  BOOST_TEST(starts.size() == kSlots);
  BOOST_TEST(colours.size() == kSlots);
}

// Loads of the entry would wait for stores to the starts of the block's pages.
BOOST_FIXTURE_TEST_CASE(no_block_starts_at_the_line_that_its_entry_has_in_a_page, ManySlots) {
  const auto line_in_page = [](const void* address) {
    return reinterpret_cast<uintptr_t>(address) % kGranuleSize / kLineSize;
  };
  std::set<size_t> lines;
  for (void* block; (block = get(kMiB)) != nullptr;) {
    BOOST_TEST(line_in_page(block) != line_in_page(&state_of(block)));
    lines.insert(line_in_page(block));
  }
  BOOST_TEST(lines.size() == 62U);
}

BOOST_AUTO_TEST_CASE(without_a_free_slot_there_is_no_block) {
  std::vector<void*> blocks;
  for (void* block; (block = get(kMiB)) != nullptr;) {
    blocks.push_back(block);
  }
  BOOST_TEST(blocks.size() == kSlots);
  BOOST_TEST((get(1) == nullptr));
  BOOST_TEST(snapshot().large_blocks == kSlots);
  give(blocks[3]);
  BOOST_TEST(get(1) == blocks[3]);
  BOOST_TEST((get(1) == nullptr));
}

BOOST_FIXTURE_TEST_CASE(an_area_with_room_for_few_has_none, ShortArea) {
  BOOST_TEST(area == 0U);
  BOOST_TEST(wide.max_bytes() == 0U);
  BOOST_TEST((get(1) == nullptr));
  BOOST_TEST(!wide.owns(0));
  BOOST_TEST(purge_old() == 0U);
  purge_all();
  BOOST_TEST(!refused);
  wide.recover_after_fork(false);
}

BOOST_FIXTURE_TEST_CASE(slots_grow_with_the_area, LongArea) {
  BOOST_TEST(wide.max_bytes() == 16 * kMiB - kGranuleSize);
  BOOST_TEST(!wide.owns(kChunksBytes - 1));
  BOOST_TEST(wide.owns(kChunksBytes));
  BOOST_TEST(wide.owns(kChunksBytes + area - 1));
}

BOOST_AUTO_TEST_CASE(a_block_longer_than_a_slot_is_none) {
  BOOST_TEST((get(wide.max_bytes() + 1) == nullptr));
  BOOST_TEST((get(SIZE_MAX) == nullptr));
  BOOST_TEST(snapshot().large_blocks == 0U);
}

BOOST_AUTO_TEST_CASE(a_block_grows_where_it_is_up_to_its_slots_end) {
  void* block = get_dirty(kMiB);
  const size_t before = wide.usable(block);
  BOOST_REQUIRE(wide.resize(block, wide.max_bytes()));
  BOOST_TEST(wide.usable(block) >= wide.max_bytes());
  BOOST_TEST(holds(block, 0, before, 0x5a));
  BOOST_TEST(holds(block, before, wide.usable(block), 0));
  fill(block);
  const size_t usable = wide.usable(block);
  BOOST_TEST(!wide.resize(block, kSlot + 1));
  BOOST_TEST(wide.usable(block) == usable);
  BOOST_TEST(holds(block, 0, usable, 0x5a));
}

BOOST_AUTO_TEST_CASE(no_size_is_too_large_to_be_refused) {
  void* block = get_dirty(kMiB);
  const size_t usable = wide.usable(block);
  for (const size_t size : {kGiB, size_t{1} << 44, (size_t{1} << 44) + kMiB, size_t{PTRDIFF_MAX}}) {
    BOOST_TEST(!wide.resize(block, size));
    BOOST_TEST(wide.usable(block) == usable);
  }
  BOOST_TEST(holds(block, 0, std::min(usable, kMiB), 0x5a));
}

BOOST_AUTO_TEST_CASE(what_a_block_shrank_by_goes_back_when_it_is_three_quarters) {
  void* block = get_dirty(3 * kMiB);
  const uint64_t purged = wide.purged_bytes();
  BOOST_REQUIRE(wide.resize(block, kMiB / 2));
  const size_t usable = wide.usable(block);
  BOOST_TEST(usable < kMiB / 2 + kGranuleSize);
  BOOST_TEST(wide.purged_bytes() - purged == 5 * kMiB / 2);
  BOOST_TEST(live_bytes() <= kMiB / 2 + kGranuleSize);
  BOOST_REQUIRE(wide.resize(block, 3 * kMiB));
  BOOST_TEST(holds(block, 0, usable, 0x5a));
  BOOST_TEST(holds(block, usable, wide.usable(block), 0));
}

BOOST_AUTO_TEST_CASE(a_block_that_swings_between_two_sizes_keeps_its_memory) {
  void* block = get_dirty(3 * kMiB);
  const uint64_t calls = faulty::calls(faulty::Call::kPurge);
  for (int i = 0; i < 5; ++i) {
    BOOST_REQUIRE(wide.resize(block, kMiB));
    BOOST_REQUIRE(wide.resize(block, 3 * kMiB));
  }
  BOOST_TEST(faulty::calls(faulty::Call::kPurge) == calls);
  BOOST_TEST(holds(block, 0, wide.usable(block), 0x5a));
}

BOOST_AUTO_TEST_CASE(little_less_is_not_worth_a_system_call) {
  void* block = get_dirty(kMiB);
  const uint64_t calls = faulty::calls(faulty::Call::kPurge);
  BOOST_REQUIRE(wide.resize(block, kMiB - 128 * kKiB));
  BOOST_TEST(faulty::calls(faulty::Call::kPurge) == calls);
  give(block);
  BOOST_TEST(free_bytes() >= kMiB);  // it still has its memory
  purge_all();
  BOOST_TEST(free_bytes() == 0U);
  void* zero = get(kMiB);
  BOOST_REQUIRE(zero == block);
  BOOST_TEST(holds(zero, 0, wide.usable(zero), 0));
}

BOOST_AUTO_TEST_CASE(the_slot_with_the_least_memory_that_is_enough_is_taken) {
  void* three = get_dirty(3 * kMiB);
  void* one = get_dirty(kMiB);
  void* two = get_dirty(2 * kMiB);
  void* half = get_dirty(kMiB / 2);
  for (void* block : {three, one, two, half}) {
    give(block);
  }
  BOOST_TEST(get(kMiB + kMiB / 2) == two);
  BOOST_TEST(get(kMiB / 4) == half);
  BOOST_TEST(get(3 * kMiB + kMiB / 2) == three);  // the most there is
  BOOST_TEST(get(2 * kMiB) == one);
}

BOOST_AUTO_TEST_CASE(memory_goes_at_the_second_call) {
  void* block = get_dirty(2 * kMiB);
  void* kept = get_dirty(kMiB);
  give(block);
  const uint64_t had = free_bytes();
  BOOST_TEST(had >= 2 * kMiB);
  BOOST_TEST(purge_old() == had);
  BOOST_TEST(free_bytes() == had);
  BOOST_TEST((state_of(block).load() == SlotState::kFree));
  BOOST_TEST(purge_old() == 0U);
  BOOST_TEST(free_bytes() == 0U);
  BOOST_TEST(wide.purged_bytes() == had);
  BOOST_TEST((state_of(block).load() == SlotState::kClean));
  BOOST_TEST(holds(kept, 0, wide.usable(kept), 0x5a));
  void* again = get(2 * kMiB);
  BOOST_TEST(again == block);
  BOOST_TEST(holds(again, 0, wide.usable(again), 0));
  BOOST_TEST(!refused);
}

BOOST_AUTO_TEST_CASE(memory_that_is_used_now_and_then_stays) {
  for (int i = 0; i < 5; ++i) {
    give(get_dirty(kMiB));
    purge_old();
  }
  BOOST_TEST(wide.purged_bytes() == 0U);
  BOOST_TEST(free_bytes() >= kMiB);
}

BOOST_AUTO_TEST_CASE(all_of_it_goes_at_once_when_asked_for) {
  void* blocks[] = {get_dirty(kMiB), get_dirty(2 * kMiB), get_dirty(3 * kMiB)};
  give(blocks[0]);
  purge_old();
  give(blocks[2]);
  purge_all();
  BOOST_TEST(!refused);
  BOOST_TEST(free_bytes() == 0U);
  BOOST_TEST(wide.purged_bytes() >= 4 * kMiB);
  BOOST_TEST(holds(blocks[1], 0, wide.usable(blocks[1]), 0x5a));
  BOOST_TEST(wide.touched_bytes() - wide.purged_bytes() == live_bytes());
}

BOOST_AUTO_TEST_CASE(a_refused_purge_leaves_the_slot_dirty) {
  void* block = get_dirty(kMiB);
  give(block);
  const uint64_t had = free_bytes();
  faulty::fail(faulty::Call::kPurge, 0, 1);
  purge_all();
  BOOST_TEST(refused);
  BOOST_TEST(free_bytes() == had);
  BOOST_TEST((state_of(block).load() == SlotState::kFree));
  refused = false;
  purge_all();
  BOOST_TEST(!refused);
  BOOST_TEST(free_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_shrunk_block_whose_tail_stays_is_purged_later) {
  void* block = get_dirty(3 * kMiB);
  faulty::fail(faulty::Call::kPurge, 0, 1);
  BOOST_REQUIRE(wide.resize(block, kMiB / 2));
  BOOST_TEST(wide.usable(block) < kMiB / 2 + kGranuleSize);
  give(block);
  BOOST_TEST(free_bytes() >= 3 * kMiB);
  purge_all();
  void* zero = get(3 * kMiB);
  BOOST_REQUIRE(zero == block);
  BOOST_TEST(holds(zero, 0, wide.usable(zero), 0));
}

BOOST_AUTO_TEST_CASE(without_a_commit_there_is_what_was_committed_before) {
  void* block = get_dirty(kMiB);
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  BOOST_TEST((get(kMiB) == nullptr));
  BOOST_TEST(snapshot().large_blocks == 1U);
  give(block);
  BOOST_TEST(get(kMiB) == block);
  faulty::reset();
  BOOST_TEST((get(kMiB) != nullptr));
}

BOOST_AUTO_TEST_CASE(a_fork_that_wants_the_turn_ends_a_purge_between_two_slots) {
  void* blocks[] = {get_dirty(kMiB), get_dirty(2 * kMiB)};
  give(blocks[0]);
  give(blocks[1]);
  const uint64_t had = free_bytes();
  const std::atomic<bool> stop{true};
  wide.purge_all(stop, refused);
  BOOST_TEST(free_bytes() == had);
  BOOST_TEST(wide.free_bytes_up_to(UINT64_MAX) == had);
  BOOST_TEST(wide.free_bytes_up_to(1) < had);
  BOOST_TEST(get(kMiB) != nullptr);
  BOOST_TEST(get(2 * kMiB) != nullptr);
}

BOOST_AUTO_TEST_CASE(of_a_sealed_arena_slots_give_what_is_committed) {
  void* block = get_dirty(kMiB);
  BOOST_REQUIRE(arena.seal());
  wide.give_up_untouched();
  BOOST_TEST((get(1) == nullptr));
  const size_t usable = wide.usable(block);
  BOOST_TEST(holds(block, 0, usable, 0x5a));
  give(block);
  BOOST_TEST(get_dirty(kMiB) == block);
  BOOST_TEST(wide.owns(arena.bytes() - 1));
}

BOOST_AUTO_TEST_CASE(counts_follow_the_blocks) {
  void* one = get_dirty(kMiB);
  void* two = get_dirty(2 * kMiB);
  give(one);
  const stats::Snapshot now = snapshot();
  BOOST_TEST(now.large_blocks == 1U);
  BOOST_TEST(now.large_allocations_total == 2U);
  BOOST_TEST(now.large_live_bytes == wide.usable(two) + inside_granule(arena.offset(two)));
  BOOST_TEST(now.large_live_bytes + now.large_free_bytes == wide.touched_bytes());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
