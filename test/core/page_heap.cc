// SPDX-License-Identifier: MIT
// Blocks of the classes; page_heap_large.cc has the longer ones, page_heap_purge.cc the purge.
#include "alloc/core/page_heap.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "test/core/page_heap_fixture.h"
#include "test/mapped_bytes.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

// 24 MiB for runs; too few for wide slots.
struct SmallHeap : PageHeapFixture {
  SmallHeap() : PageHeapFixture(24 * kMiB) {}
};

BOOST_FIXTURE_TEST_SUITE(page_heap, PageHeapFixture)

BOOST_AUTO_TEST_CASE(starts_without_a_chunk) {
  BOOST_TEST(heap.size_bytes() == 0U);
  BOOST_TEST(free_bytes() == 0U);
  BOOST_TEST(heap.fresh_bytes() == 0U);
  BOOST_TEST(heap.arena().bytes() == 256 * kMiB);
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_holds_nothing) {
  for (uint64_t call = 0;; ++call) {
    faulty::reset();
    const uint64_t reserved = faulty::reserved_bytes();
    faulty::fail(faulty::Call::kReserve, call, UINT64_MAX - call);
    PageHeap other;
    if (other.start(page_heap_config())) {
      BOOST_TEST(call >= 4U);  // arena, entries, index, chunks
      other.stop();
      BOOST_TEST(faulty::reserved_bytes() == reserved);
      break;
    }
    BOOST_TEST(faulty::reserved_bytes() == reserved);
    BOOST_TEST(!other.arena().owns(&other));
  }
}

BOOST_AUTO_TEST_CASE(blocks_of_all_classes_are_their_owners) {
  Extents extents(*this);
  std::vector<void*> blocks;
  for (uint32_t round = 0; round < 3; ++round) {
    for (uint8_t i = 1; i <= config::kHeapClassCount; ++i) {
      void* block = get(ClassIndex{i});
      BOOST_REQUIRE(block != nullptr);
      BOOST_REQUIRE(heap.arena().owns(block));
      BOOST_REQUIRE((class_of(block) == ClassIndex{i}));
      BOOST_REQUIRE(heap.usable(block) == config::kHeapClassSizes[i]);
      BOOST_REQUIRE(offset(block) % kLineSize == 0U);
      BOOST_REQUIRE(!heap.is_wide(block));
      BOOST_REQUIRE(extents.add(block));
      BOOST_REQUIRE(is_filled_with(block, 0));
      fill(block, static_cast<char>(i));
      blocks.push_back(block);
    }
  }
  for (const void* block : blocks) {
    BOOST_REQUIRE(is_filled_with(block, static_cast<char>(raw(class_of(block)))));
  }
  give_all(blocks);
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(blocks_that_are_taken_together_are_neighbours) {
  for (const size_t size : {4 * kKiB, 12 * kKiB, 28 * kKiB}) {
    std::vector<void*> blocks(8);
    const uint32_t count = heap.take(heap_class(size), hint, blocks.data(), 8);
    BOOST_REQUIRE(count >= 1U);
    BOOST_REQUIRE(count <= 8U);
    blocks.resize(count);
    std::sort(blocks.begin(), blocks.end());
    for (uint32_t i = 1; i < count; ++i) {
      BOOST_TEST(offset(blocks[i]) - offset(blocks[i - 1]) == size);
    }
  }
}

BOOST_AUTO_TEST_CASE(large_neighbours_start_at_different_places_of_their_pages) {
  std::set<size_t> places;
  for (const void* block : get_many(kHeapColouredFrom, 64)) {
    places.insert(inside_granule(offset(block)));
  }
  BOOST_TEST(places.size() >= 8U);
}

BOOST_AUTO_TEST_CASE(a_block_is_clean_until_it_was_handed_out) {
  void* block = nullptr;
  BOOST_REQUIRE(heap.take(heap_class(20 * kKiB), hint, &block, 1) == 1U);
  BOOST_TEST(is_clean(block));
  BOOST_TEST(heap.put(class_of(block), hint, &block, 1) == nullptr);  // never handed out
  BOOST_TEST(heap.free_bytes().dirty() == 0U);
  void* again = nullptr;
  BOOST_REQUIRE(heap.take(heap_class(20 * kKiB), hint, &again, 1) == 1U);
  BOOST_TEST(is_clean(again));
  mark_live(again);
  fill(again);
  BOOST_REQUIRE(give(again));
  BOOST_TEST(heap.free_bytes().dirty() >= 20 * kKiB);
  void* third = nullptr;
  BOOST_REQUIRE(heap.take(heap_class(20 * kKiB), hint, &third, 1) == 1U);
  BOOST_TEST((is_clean(third) ? is_filled_with(third, 0) : third == again));
}

BOOST_AUTO_TEST_CASE(a_block_with_a_page_that_was_written_to_is_not_clean) {
  const std::vector<void*> blocks = get_many(12 * kKiB, 3);
  void* middle = blocks[1];
  give_all({blocks[0], blocks[2]});
  static_cast<char*>(middle)[5000] = 1;
  BOOST_REQUIRE(give(middle));
  for (uint32_t i = 0; i < 600; ++i) {
    void* block = nullptr;
    BOOST_REQUIRE(heap.take(heap_class(4608), hint, &block, 1) == 1U);
    BOOST_REQUIRE((!is_clean(block) || is_filled_with(block, 0)));
    mark_live(block);
  }
}

BOOST_AUTO_TEST_CASE(a_hole_is_filled_before_longer_runs) {
  const std::vector<void*> blocks = get_many(4 * kKiB, 40);
  const auto hole = [&](uint32_t first, uint32_t count) {
    give_all({blocks.begin() + first, blocks.begin() + first + count});
    return blocks[first];
  };
  void* five = hole(4, 5);
  void* three = hole(14, 3);
  void* four = hole(24, 4);
  BOOST_TEST(get(12 * kKiB) == three);
  BOOST_TEST(get(16 * kKiB) == four);
  BOOST_TEST(get(12 * kKiB) == five);
}

BOOST_AUTO_TEST_CASE(what_a_class_gives_back_serves_all_others) {
  give_all(get_many(64 * kKiB, 200));
  const uint64_t size = heap.size_bytes();
  const uint64_t fresh = heap.fresh_bytes();
  std::vector<void*> blocks = get_many(12 * kKiB, 300);
  for (const size_t other : {4 * kKiB, 28 * kKiB, 320 * kKiB, kMiB}) {
    blocks.push_back(get(other));
  }
  BOOST_TEST(heap.size_bytes() == size);
  BOOST_TEST(heap.fresh_bytes() - fresh <= kChunkSize);
  give_all(blocks);
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(bytes_without_memory_are_counted_as_they_are_taken) {
  void* block = get(64 * kKiB);
  const uint64_t fresh = heap.fresh_bytes();
  BOOST_TEST(fresh >= 64 * kKiB);
  BOOST_TEST(fresh <= 65 * kKiB);
  BOOST_REQUIRE(give(block));
  BOOST_TEST(get(32 * kKiB) != nullptr);
  BOOST_TEST(heap.fresh_bytes() <= fresh + 33 * kKiB);
}

BOOST_AUTO_TEST_CASE(blocks_that_come_back_untouched_are_not_counted_again) {
  const ClassIndex index = heap_class(64 * kKiB);
  const uint32_t who = 1;
  void* blocks[8];
  BOOST_REQUIRE(heap.take(index, who, blocks, 8) == 8U);
  const uint64_t fresh = heap.fresh_bytes();
  for (int round = 0; round < 100; ++round) {
    BOOST_REQUIRE((heap.put(index, who, blocks, 8) == nullptr));
    BOOST_REQUIRE(heap.take(index, who, blocks, 8) == 8U);
    BOOST_TEST(heap.fresh_bytes() == fresh);
  }
  BOOST_REQUIRE((heap.put(index, who, blocks, 8) == nullptr));
  BOOST_TEST(heap.fresh_bytes() == fresh - 8 * (64 * kKiB + kGrainSize));
}

BOOST_AUTO_TEST_CASE(what_a_large_block_does_not_need_in_front_is_not_counted) {
  uint64_t before = heap.fresh_bytes();
  for (int i = 0; i < 12; ++i) {
    void* block = get_large(3 * kMiB);
    BOOST_REQUIRE(block != nullptr);
    BOOST_TEST(heap.fresh_bytes() - before <= heap.usable(block) + kGrainSize);
    before = heap.fresh_bytes();
  }
}

BOOST_AUTO_TEST_CASE(an_aligned_request_without_room_leaves_others_what_there_is) {
  // All of the first chunks but a run in each, which no entry tells of and only a search finds.
  std::vector<void*> blocks = get_many(kMiB - kGrainSize, 12);
  const uint64_t size = heap.size_bytes();
  BOOST_REQUIRE((heap.take_aligned(heap_class(4 * kKiB), kChunkSize) != nullptr));
  const uint64_t grown = heap.size_bytes();
  BOOST_TEST(grown >= size);
  while (heap.size_bytes() == grown) {
    void* block = get(8 * kKiB);
    BOOST_REQUIRE(block != nullptr);
    blocks.push_back(block);
  }
  // Nearly all of what was there.
  BOOST_TEST(heap.free_bytes().clean <= kChunkSize + 64 * kKiB);
}

BOOST_AUTO_TEST_CASE(a_block_put_twice_is_named) {
  std::vector<void*> blocks = get_many(12 * kKiB, 3);
  BOOST_TEST(give(blocks[1]));
  BOOST_TEST(heap.put(heap_class(12 * kKiB), hint, &blocks[1], 1) == blocks[1]);
  for (void* block : blocks) {
    state(block).store(SlotState::kFree);
  }
  BOOST_TEST(heap.put(heap_class(12 * kKiB), hint, blocks.data(), 3) == blocks[1]);
  BOOST_TEST(everything_is_free());
}

BOOST_FIXTURE_TEST_CASE(aligned_blocks_are_aligned_and_their_owners, PageHeapFixture) {
  Extents extents(*this);
  std::vector<void*> blocks;
  for (size_t alignment = kGrainSize; alignment <= kChunkSize; alignment *= 2) {
    for (const size_t size : {4 * kKiB, 4608 * size_t{1}, 28 * kKiB, 64 * kKiB, kMiB}) {
      void* block = get_aligned(size, alignment);
      BOOST_REQUIRE(block != nullptr);
      BOOST_REQUIRE(reinterpret_cast<uintptr_t>(block) % alignment == 0U);
      BOOST_REQUIRE(heap.usable(block) == size);
      BOOST_REQUIRE((class_of(block) == heap_class(size)));
      BOOST_REQUIRE((!is_clean(block) || is_filled_with(block, 0)));
      BOOST_REQUIRE(extents.add(block));
      fill(block);
      blocks.push_back(block);
      BOOST_REQUIRE(extents.add(get(12 * kKiB)));  // what lies between
    }
  }
  const uint64_t before = free_bytes();
  give_all(blocks);
  BOOST_TEST(free_bytes() > before);
}

BOOST_AUTO_TEST_CASE(aligned_blocks_are_found_among_many_chunks_that_have_none) {
  // Chunks with room for a block of 1 MiB, but none at a multiple of that.
  std::vector<void*> in_the_way;
  for (uint32_t i = 0; i < 24; ++i) {
    void* whole = get_large(kChunkSize, kChunkSize);
    BOOST_REQUIRE(whole != nullptr);
    in_the_way.push_back(whole);
  }
  void* const place = get_large(kChunkSize, kChunkSize);
  std::vector<void*> small;
  for (void* whole : in_the_way) {
    BOOST_REQUIRE(give(whole));
    void* at_start = get_aligned(4 * kKiB, kChunkSize);
    BOOST_REQUIRE(at_start != nullptr);
    small.push_back(at_start);
  }
  const uint64_t size = heap.size_bytes();
  BOOST_REQUIRE(give(place));
  BOOST_TEST(get_aligned(kMiB, kChunkSize) != nullptr);
  BOOST_TEST(heap.size_bytes() <= size + kChunkSize);
}

BOOST_FIXTURE_TEST_CASE(all_of_the_arena_can_be_had_again_and_again, SmallHeap) {
  BOOST_TEST(heap.wide().max_bytes() == 0U);
  for (const size_t size : {4 * kKiB, 28 * kKiB, 64 * kKiB, kMiB, 4 * kKiB}) {
    std::vector<void*> blocks;
    Extents extents(*this);
    for (void* block; (block = get(size)) != nullptr;) {
      BOOST_REQUIRE(extents.add(block));
      blocks.push_back(block);
    }
    const size_t run = size + (size >= kHeapColouredFrom ? kGrainSize : 0);
    BOOST_TEST(blocks.size() == heap.arena().bytes() / run);
    BOOST_TEST(heap.size_bytes() == heap.arena().bytes());
    give_all(blocks);
    BOOST_TEST(everything_is_free());
  }
}

BOOST_AUTO_TEST_CASE(refused_growth_is_no_block_and_is_got_over) {
  std::vector<void*> blocks = get_many(kMiB / 2, 4);
  while (heap.size_bytes() < snapshot().pool_committed_bytes) {
    blocks.push_back(get(kMiB / 2));
  }
  give_all(blocks);
  const uint64_t size = heap.size_bytes();
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  std::vector<void*> more;
  for (void* block; (block = get(28 * kKiB)) != nullptr;) {
    more.push_back(block);
  }
  BOOST_TEST(more.size() == size / (28 * kKiB));
  BOOST_TEST((get_aligned(28 * kKiB, kChunkSize) == nullptr));
  BOOST_TEST(heap.size_bytes() == size);
  faulty::reset();
  BOOST_TEST((get(28 * kKiB) != nullptr));
  give_all(more);
}

BOOST_AUTO_TEST_CASE(what_is_needed_is_had_when_a_whole_step_is_refused) {
  std::vector<void*> blocks = get_many(kMiB, 4);
  for (uint64_t call = 0; call < 3; ++call) {  // of the chunks' words, entries and pages
    while (heap.size_bytes() < snapshot().pool_committed_bytes) {
      blocks.push_back(get(kMiB));
    }
    const uint64_t committed = snapshot().pool_committed_bytes;
    faulty::fail(faulty::Call::kCommit, call, 1);
    while (heap.size_bytes() == committed) {
      blocks.push_back(get(kMiB));
      BOOST_REQUIRE(blocks.back() != nullptr);
      fill(blocks.back());
    }
    faulty::reset();
    BOOST_TEST(snapshot().pool_committed_bytes == committed + kChunkSize);
  }
}

BOOST_AUTO_TEST_CASE(no_more_is_committed_than_needed_where_it_is_resident_at_once) {
  std::vector<void*> blocks = get_many(kMiB, 12);
  heap.arena().commit_exactly();
  while (snapshot().pool_grown_bytes < snapshot().pool_committed_bytes) {
    blocks.push_back(get(kMiB));
  }
  for (int i = 0; i < 8; ++i) {
    blocks.push_back(get(kMiB));
    BOOST_TEST(snapshot().pool_committed_bytes == snapshot().pool_grown_bytes);
  }
  give_all(blocks);
}

BOOST_AUTO_TEST_CASE(a_sealed_arena_serves_what_it_has) {
  std::vector<void*> blocks = get_many(64 * kKiB, 40);
  give_all(blocks);
  BOOST_REQUIRE(heap.arena().seal());
  const uint64_t size = heap.size_bytes();
  std::vector<void*> more;
  for (void* block; (block = get(64 * kKiB)) != nullptr;) {
    more.push_back(block);
  }
  BOOST_TEST(more.size() >= 40U);
  BOOST_TEST(heap.size_bytes() == size);
  BOOST_TEST((get_large(3 * kMiB) == nullptr));
  const uint64_t untouched = heap.untouched_bytes();
  const uint64_t mapped = spillway::testing::mapped_bytes();
  heap.give_up_untouched();
  // But for pages at the ends of what went.
  const uint64_t gone = mapped - spillway::testing::mapped_bytes();
  BOOST_TEST(gone <= untouched);
  BOOST_TEST(gone + kMiB >= untouched);
  for (void* block : more) {
    fill(block);
  }
  give_all(more);
  BOOST_TEST(everything_is_free());
  BOOST_TEST((get(kMiB) != nullptr));
  BOOST_TEST(heap.arena().owns(heap.arena().at(heap.arena().bytes() - 1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
