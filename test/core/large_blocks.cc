#include "alloc/core/large_blocks.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <set>
#include <vector>

#include "test/core/large_blocks_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(large_blocks, LargeFixture)

BOOST_AUTO_TEST_CASE(a_block_is_usable_up_to_the_end_of_its_last_page) {
  for (const size_t size : {size_t{1}, kMiB, kMiB + 1, 3 * kMiB - 1, large.most_bytes()}) {
    void* block = get_dirty(size);
    BOOST_TEST(large.usable(block) >= size);
    BOOST_TEST(large.usable(block) < size + kGranuleSize);
    BOOST_TEST(holds(block, 0, large.usable(block), 0x5a));
    give(block);
    purge_all();
  }
  BOOST_TEST(!refused);
}

BOOST_AUTO_TEST_CASE(blocks_are_in_slots_of_their_own) {
  BOOST_TEST(large.most_bytes() > kSlot - 2 * kGranuleSize);
  BOOST_TEST(large.most_bytes() < kSlot);
  std::set<uint32_t> starts;
  std::set<size_t> colours;
  for (uint32_t i = 0; i < kSlots; ++i) {
    void* block = get(large.most_bytes());
    BOOST_REQUIRE(block != nullptr);
    const size_t offset = engine.arena().offset(block);
    const Granule last = engine.arena().granule_at(offset + large.most_bytes() - 1);
    BOOST_TEST(engine.is_large(last));
    BOOST_TEST(engine.was_used(engine.slot_start(last)));
    BOOST_TEST(engine.block_of(last) == block);
    BOOST_TEST(raw(engine.slot_start(last)) == raw(engine.arena().granule_at(offset)));
    starts.insert(raw(engine.slot_start(last)));
    colours.insert(inside_granule(offset));
  }
  BOOST_TEST(starts.size() == kSlots);
  BOOST_TEST(colours.size() == kSlots);
}

// Loads of the state byte would wait for stores to the starts of the block's pages.
BOOST_FIXTURE_TEST_CASE(no_block_starts_at_the_line_that_its_state_has_in_a_page, ManySlots) {
  const auto line_in_page = [](const void* address) {
    return reinterpret_cast<uintptr_t>(address) % kGranuleSize / kLineSize;
  };
  std::set<size_t> lines;
  for (void* block; (block = get(kMiB)) != nullptr;) {
    BOOST_TEST(line_in_page(block) != line_in_page(&state_of(block)));
    lines.insert(line_in_page(block));
  }
  BOOST_TEST(lines.size() == 60U);
}

BOOST_AUTO_TEST_CASE(aligned_blocks_start_where_their_slot_does) {
  for (uint32_t i = 0; i < kSlots; ++i) {
    void* block = get(3 * kMiB, Use::kAny, true);
    BOOST_REQUIRE(block != nullptr);
    BOOST_TEST(reinterpret_cast<uintptr_t>(block) % Arena::kSpanAlignment == 0U);
    BOOST_TEST(large.usable(block) == 3 * kMiB);
  }
}

BOOST_AUTO_TEST_CASE(without_a_free_slot_there_is_no_block) {
  std::vector<void*> blocks;
  for (void* block; (block = get(kMiB)) != nullptr;) {
    blocks.push_back(block);
  }
  BOOST_TEST(blocks.size() == kSlots);
  BOOST_TEST((get(1, Use::kZeroed) == nullptr));
  BOOST_TEST(snapshot().large_blocks == kSlots);
  give(blocks[3]);
  BOOST_TEST(in_same_slot(get(1), blocks[3]));
  BOOST_TEST((get(1) == nullptr));
}

BOOST_FIXTURE_TEST_CASE(a_span_with_room_for_few_has_none, ShortSpan) {
  BOOST_TEST(large.most_bytes() == 0U);
  BOOST_TEST(!engine.is_large(engine.arena().span_start(4)));
  BOOST_TEST(purge_old() == 0U);
  purge_all();
  BOOST_TEST(!refused);
}

BOOST_FIXTURE_TEST_CASE(without_a_span_there_are_none, NoSpan) {
  BOOST_TEST(large.most_bytes() == 0U);
  ThreadAnchor anchor = new_anchor();
  void* block = allocate(anchor, kLarge);
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST(!engine.is_large(engine.arena().granule_at(engine.arena().offset(block))));
  free(anchor, block);
}

BOOST_FIXTURE_TEST_CASE(slots_grow_with_the_spans, LongSpans) {
  BOOST_TEST(large.most_bytes() == 8 * kMiB - kGranuleSize);
  BOOST_TEST(engine.is_large(engine.arena().span_start(4)));
  BOOST_TEST(engine.is_large(engine.arena().span_start(5)));
  BOOST_TEST(!engine.is_large(engine.arena().span_start(3)));
}

BOOST_AUTO_TEST_CASE(a_block_grows_where_it_is_up_to_its_slots_end) {
  void* block = get_dirty(kMiB);
  const size_t before = large.usable(block);
  BOOST_REQUIRE(large.resize(block, large.most_bytes()));
  BOOST_TEST(large.usable(block) >= large.most_bytes());
  BOOST_TEST(holds(block, 0, before, 0x5a));
  BOOST_TEST(holds(block, before, large.usable(block), 0));
  fill(block);
  const size_t usable = large.usable(block);
  BOOST_TEST(!large.resize(block, kSlot + 1));
  BOOST_TEST(large.usable(block) == usable);
  BOOST_TEST(holds(block, 0, usable, 0x5a));
}

BOOST_AUTO_TEST_CASE(no_size_is_too_large_to_be_refused) {
  void* block = get_dirty(kMiB);
  const size_t usable = large.usable(block);
  for (const size_t size : {kGiB, size_t{1} << 44, (size_t{1} << 44) + kMiB, size_t{PTRDIFF_MAX}}) {
    BOOST_TEST(!large.resize(block, size));
    BOOST_TEST(large.usable(block) == usable);
  }
  BOOST_TEST(holds(block, 0, std::min(usable, kMiB), 0x5a));
}

BOOST_AUTO_TEST_CASE(what_a_block_shrank_by_goes_back) {
  void* block = get_dirty(3 * kMiB);
  const uint64_t purged = large.purged_bytes();
  BOOST_REQUIRE(large.resize(block, kMiB));
  const size_t usable = large.usable(block);
  BOOST_TEST(usable < kMiB + kGranuleSize);
  BOOST_TEST(large.purged_bytes() - purged == 2 * kMiB);
  BOOST_TEST(live_bytes() <= kMiB + kGranuleSize);
  BOOST_REQUIRE(large.resize(block, 3 * kMiB));
  BOOST_TEST(holds(block, 0, usable, 0x5a));
  BOOST_TEST(holds(block, usable, large.usable(block), 0));
}

BOOST_AUTO_TEST_CASE(little_less_is_not_worth_a_system_call) {
  void* block = get_dirty(kMiB);
  const uint64_t calls = faulty::calls(faulty::Call::kPurge);
  BOOST_REQUIRE(large.resize(block, kMiB - 128 * kKiB));
  BOOST_TEST(faulty::calls(faulty::Call::kPurge) == calls);
  give(block);
  BOOST_TEST(free_bytes() >= kMiB);  // it still has its memory
  purge_all();
  BOOST_TEST(free_bytes() == 0U);
  void* zero = get(kMiB, Use::kZeroed);
  BOOST_REQUIRE(in_same_slot(zero, block));
  BOOST_TEST(holds(zero, 0, large.usable(zero), 0));
}

BOOST_AUTO_TEST_CASE(zeroed_blocks_are_zero_whatever_was_there) {
  std::vector<void*> blocks;
  for (uint32_t i = 0; i < kSlots; ++i) {
    blocks.push_back(get_dirty(kMiB));
    BOOST_REQUIRE(large.resize(blocks.back(), 2 * kMiB));
    fill(blocks.back());
    BOOST_REQUIRE(large.resize(blocks.back(), 2 * kMiB - 100 * kKiB));
  }
  for (void* block : blocks) {
    give(block);
  }
  for (uint32_t i = 0; i < kSlots; ++i) {
    void* block = get(large.most_bytes(), Use::kZeroed);
    BOOST_REQUIRE(block != nullptr);
    BOOST_REQUIRE(holds(block, 0, large.usable(block), 0));
    fill(block);
  }
}

BOOST_AUTO_TEST_CASE(zeroed_blocks_leave_memory_to_others) {
  void* dirty = get_dirty(kMiB);
  give(dirty);
  void* zero = get(kMiB, Use::kZeroed);
  BOOST_REQUIRE(zero != nullptr);
  BOOST_TEST(!in_same_slot(zero, dirty));
  BOOST_TEST(holds(zero, 0, large.usable(zero), 0));
  BOOST_TEST(get(kMiB) == dirty);
}

BOOST_AUTO_TEST_CASE(growing_blocks_leave_half_the_slots) {
  std::vector<void*> blocks;
  for (void* block; (block = get(kMiB, Use::kGrowing)) != nullptr;) {
    blocks.push_back(block);
  }
  BOOST_TEST(blocks.size() == kSlots / 2);
  void* other = get(kMiB);
  BOOST_REQUIRE(other != nullptr);
  give(blocks[0]);
  BOOST_TEST((get(kMiB, Use::kGrowing) == nullptr));
  give(other);
  BOOST_TEST((get(kMiB, Use::kGrowing) != nullptr));
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
  BOOST_TEST(large.purged_bytes() == had);
  BOOST_TEST((state_of(block).load() == SlotState::kClean));
  BOOST_TEST(holds(kept, 0, large.usable(kept), 0x5a));
  void* again = get(2 * kMiB, Use::kZeroed);
  BOOST_TEST(again == block);
  BOOST_TEST(holds(again, 0, large.usable(again), 0));
  BOOST_TEST(!refused);
}

BOOST_AUTO_TEST_CASE(memory_that_is_used_now_and_then_stays) {
  for (int i = 0; i < 5; ++i) {
    give(get_dirty(kMiB));
    purge_old();
  }
  BOOST_TEST(large.purged_bytes() == 0U);
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
  BOOST_TEST(large.purged_bytes() >= 4 * kMiB);
  BOOST_TEST(holds(blocks[1], 0, large.usable(blocks[1]), 0x5a));
  BOOST_TEST(large.touched_bytes() - large.purged_bytes() == live_bytes());
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

BOOST_AUTO_TEST_CASE(what_cannot_be_made_zero_is_not_handed_out_as_zero) {
  std::vector<void*> blocks;
  for (uint32_t i = 0; i < kSlots; ++i) {
    blocks.push_back(get_dirty(kMiB));
  }
  give(blocks[5]);
  faulty::fail(faulty::Call::kPurge, 0, UINT64_MAX);
  BOOST_TEST((get(kMiB, Use::kZeroed) == nullptr));
  BOOST_TEST(snapshot().large_blocks == kSlots - 1);
  faulty::reset();
  void* block = get(kMiB, Use::kZeroed);
  BOOST_REQUIRE(block == blocks[5]);
  BOOST_TEST(holds(block, 0, large.usable(block), 0));
}

BOOST_AUTO_TEST_CASE(a_shrunk_block_whose_tail_stays_is_purged_later) {
  void* block = get_dirty(3 * kMiB);
  faulty::fail(faulty::Call::kPurge, 0, 1);
  BOOST_REQUIRE(large.resize(block, kMiB));
  BOOST_TEST(large.usable(block) < kMiB + kGranuleSize);
  give(block);
  BOOST_TEST(free_bytes() >= 3 * kMiB);
  purge_all();
  void* zero = get(3 * kMiB, Use::kZeroed);
  BOOST_REQUIRE(zero == block);
  BOOST_TEST(holds(zero, 0, large.usable(zero), 0));
}

BOOST_AUTO_TEST_CASE(without_a_commit_there_is_what_was_committed_before) {
  void* block = get_dirty(kMiB);
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  BOOST_TEST((get(kMiB) == nullptr));
  BOOST_TEST(snapshot().large_blocks == 1U);
  give(block);
  void* zero = get(kMiB, Use::kZeroed);
  BOOST_REQUIRE(zero == block);
  BOOST_TEST(holds(zero, 0, large.usable(zero), 0));
  faulty::reset();
  BOOST_TEST((get(kMiB) != nullptr));
}

BOOST_AUTO_TEST_CASE(counts_follow_the_blocks) {
  void* one = get_dirty(kMiB);
  void* two = get_dirty(2 * kMiB);
  give(one);
  const stats::Snapshot now = snapshot();
  BOOST_TEST(now.large_blocks == 1U);
  BOOST_TEST(now.large_allocations_total == 2U);
  BOOST_TEST(now.large_live_bytes ==
             large.usable(two) + inside_granule(engine.arena().offset(two)));
  BOOST_TEST(now.large_live_bytes + now.large_free_bytes == large.touched_bytes());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
