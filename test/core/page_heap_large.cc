// SPDX-License-Identifier: MIT
// Blocks above the largest class, blocks that change their size, and where a block is.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "test/core/page_heap_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(page_heap_large, PageHeapFixture)

BOOST_AUTO_TEST_CASE(blocks_of_all_lengths_are_usable) {
  Extents extents(*this);
  std::vector<void*> blocks;
  const size_t sizes[] = {kMiB + 1,       kMiB + 511,      3 * kMiB / 2, kChunkSize,
                          kChunkSize + 1, 3 * kMiB - 1000, 5 * kMiB,     16 * kMiB + 7};
  for (const size_t size : sizes) {
    void* block = heap.take_large(size, 1);
    BOOST_REQUIRE(block != nullptr);
    BOOST_TEST(raw(state(block).load()) < raw(SlotState::kFirstLive));  // not marked live
    mark_live(block);
    BOOST_TEST((class_of(block) == kNoClass));
    BOOST_TEST(offset(block) % kLineSize == 0U);
    BOOST_TEST(heap.usable(block) >= size);
    BOOST_TEST(heap.usable(block) <= size + 2 * kGranuleSize);
    BOOST_TEST(!heap.is_wide(block));
    BOOST_REQUIRE(extents.add(block));
    BOOST_REQUIRE(is_filled_with(block, 0));
    fill(block);
    blocks.push_back(block);
  }
  BOOST_TEST(snapshot().large_blocks == blocks.size());
  BOOST_TEST(snapshot().large_allocations_total == blocks.size());
  BOOST_TEST(snapshot().large_live_bytes + free_bytes() == heap.size_bytes());
  give_all(blocks);
  BOOST_TEST(everything_is_free());
  BOOST_TEST(snapshot().large_blocks == 0U);
  BOOST_TEST(snapshot().large_live_bytes == 0U);
  BOOST_TEST(heap.large_taken_bytes() > 30 * kMiB);
}

BOOST_AUTO_TEST_CASE(the_longest_block_is_as_long_as_a_run_may_be) {
  void* block = get_large(kMaxRun);
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST(heap.usable(block) >= kMaxRun);
  static_cast<char*>(block)[0] = static_cast<char*>(block)[kMaxRun - 1] = 1;
  BOOST_TEST((get_large(kMaxRun + 1) == nullptr));
  BOOST_TEST((get_large(SIZE_MAX / 2) == nullptr));
  BOOST_TEST((get_large(size_t{1} << 41) == nullptr));
  BOOST_TEST((get_large(3 * kMiB, 2 * kChunkSize) == nullptr));
  BOOST_TEST(give(block));
  const uint64_t size = heap.size_bytes();
  BOOST_TEST((get_large(kMaxRun) != nullptr));
  BOOST_TEST(heap.size_bytes() == size);
}

BOOST_AUTO_TEST_CASE(a_growing_block_gets_a_run_with_memory_and_grows_in_it) {
  void* block = get_large(8 * kMiB);
  fill(block);
  BOOST_REQUIRE(give(block));
  const uint64_t fresh = heap.fresh_bytes();
  block = heap.take_with_room(3 * kMiB);
  BOOST_REQUIRE(block != nullptr);
  mark_live(block);
  BOOST_TEST(heap.usable(block) >= 3 * kMiB);
  BOOST_TEST(heap.resize(block, kNoClass, 6 * kMiB));
  BOOST_TEST(heap.usable(block) >= 6 * kMiB);
  BOOST_TEST(heap.fresh_bytes() - fresh <= kMiB / 2);
  BOOST_TEST(snapshot().large_live_bytes + free_bytes() == heap.size_bytes());
  BOOST_TEST(give(block));
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(a_growing_block_gets_no_run_without_room_or_memory) {
  BOOST_TEST((heap.take_with_room(3 * kMiB) == nullptr));
  void* const block = get_large(7 * kMiB);
  fill(block);
  BOOST_REQUIRE(give(block));
  BOOST_TEST((heap.take_with_room(4 * kMiB) == nullptr));
  BOOST_TEST((heap.take_with_room(SIZE_MAX / 2) == nullptr));
  static_cast<void>(purge_all(true));
  BOOST_TEST((heap.take_with_room(2 * kMiB) == nullptr));
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(aligned_blocks_begin_at_multiples) {
  Extents extents(*this);
  std::vector<void*> blocks;
  for (size_t alignment = kGranuleSize; alignment <= kChunkSize; alignment *= 2) {
    for (const size_t size : {kMiB + kKiB, kChunkSize, 3 * kMiB + 1}) {
      void* block = get_large(size, alignment);
      BOOST_REQUIRE(block != nullptr);
      BOOST_REQUIRE(reinterpret_cast<uintptr_t>(block) % alignment == 0U);
      BOOST_REQUIRE(heap.usable(block) >= size);
      BOOST_REQUIRE(heap.usable(block) < size + kGrainSize);
      BOOST_REQUIRE(extents.add(block));
      blocks.push_back(block);
    }
  }
  give_all(blocks);
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(others_start_at_different_places_of_their_pages) {
  std::set<size_t> places;
  for (uint32_t i = 0; i < 32; ++i) {
    places.insert(inside_granule(offset(get_large(kMiB + 1))));
  }
  BOOST_TEST(places.size() >= 16U);
}

BOOST_AUTO_TEST_CASE(what_blocks_of_the_classes_gave_back_serves) {
  give_all(get_many(12 * kKiB, 1200));
  const uint64_t size = heap.size_bytes();
  void* block = get_large(12 * kMiB);
  BOOST_TEST(block != nullptr);
  BOOST_TEST(heap.size_bytes() == size);
  BOOST_TEST(give(block));
  BOOST_TEST(get_many(12 * kKiB, 1000).size() == 1000U);
  BOOST_TEST(heap.size_bytes() == size);
}

BOOST_AUTO_TEST_CASE(a_block_given_twice_is_told) {
  void* block = get_large(3 * kMiB);
  BOOST_TEST(give(block));
  BOOST_TEST(!heap.give_large(block));
  BOOST_TEST(everything_is_free());
  BOOST_TEST(snapshot().large_blocks == 0U);
  BOOST_TEST(snapshot().large_live_bytes == 0U);
}

BOOST_AUTO_TEST_CASE(a_cleared_block_reads_as_zero) {
  void* block = get_large(5 * kMiB);
  for (size_t at = 2 * kMiB; at < 3 * kMiB; ++at) {
    static_cast<char*>(block)[at] = 1;
  }
  BOOST_REQUIRE(give(block));
  void* dirty = get(64 * kKiB);
  fill(dirty);
  BOOST_REQUIRE(give(dirty));
  void* again = get_large(5 * kMiB);
  heap.clear(again, 5 * kMiB);
  BOOST_TEST(holds(again, 0, 5 * kMiB, 0));
  fill(again);
  heap.clear(again, 100);
  BOOST_TEST(holds(again, 100, heap.usable(again), 0x5a));
}

// --- other sizes where they are

BOOST_AUTO_TEST_CASE(a_block_grows_into_free_memory_behind_it) {
  const std::vector<void*> blocks = get_many(8 * kKiB, 20);
  void* block = blocks[3];
  fill(block);
  BOOST_TEST(!heap.resize(block, heap_class(12 * kKiB), 12 * kKiB));  // in use
  BOOST_TEST(heap.usable(block) == 8 * kKiB);
  give_all({blocks[4], blocks[5]});
  BOOST_TEST(!heap.resize(block, heap_class(28 * kKiB), 28 * kKiB));
  BOOST_TEST(heap.usable(block) == 8 * kKiB);
  const uint64_t before = free_bytes();
  BOOST_TEST(heap.resize(block, heap_class(20 * kKiB), 20 * kKiB));
  BOOST_TEST(before - free_bytes() == 12 * kKiB);
  BOOST_TEST((class_of(block) == heap_class(20 * kKiB)));
  BOOST_TEST(heap.usable(block) == 20 * kKiB);
  BOOST_TEST(holds(block, 0, 8 * kKiB, 0x5a));
  BOOST_TEST(heap.resize(block, heap_class(24 * kKiB), 24 * kKiB));
  BOOST_TEST(!heap.resize(block, heap_class(26 * kKiB), 26 * kKiB));
  fill(block);
  BOOST_TEST(!is_clean(blocks[6]));
  BOOST_REQUIRE(give(block));
  BOOST_TEST(free_bytes() == before + 8 * kKiB);
}

BOOST_AUTO_TEST_CASE(a_block_does_not_grow_into_new_chunks) {
  const std::vector<void*> blocks = get_many(kMiB, 2);
  const uint64_t size = heap.size_bytes();
  void* const last = std::max(blocks[0], blocks[1]);
  while (heap.resize(last, kNoClass, heap.usable(last) + 64 * kKiB)) {
  }
  BOOST_TEST(heap.size_bytes() == size);
}

BOOST_AUTO_TEST_CASE(a_block_that_shrinks_leaves_the_rest_to_others) {
  void* block = get(28 * kKiB);
  fill(block);
  const uint64_t before = free_bytes();
  BOOST_TEST(heap.resize(block, heap_class(8 * kKiB), 8 * kKiB));
  BOOST_TEST(heap.usable(block) == 8 * kKiB);
  BOOST_TEST((class_of(block) == heap_class(8 * kKiB)));
  BOOST_TEST(is_filled_with(block, 0x5a));
  BOOST_TEST(free_bytes() == before + 20 * kKiB);
  BOOST_TEST(heap.free_bytes().dirty() >= 16 * kKiB);
  BOOST_REQUIRE(give(block));
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(blocks_grow_beyond_the_classes_and_shrink_again) {
  void* block = get(512 * kKiB);
  fill(block);
  size_t kept = heap.usable(block);
  for (const size_t size : {kMiB + kKiB, 3 * kMiB, 20 * kMiB, 5 * kMiB, kMiB + 1}) {
    // New chunks are no neighbours of a block until they are in use.
    give_all({get_large(24 * kMiB)});
    BOOST_REQUIRE(heap.resize(block, kNoClass, size));
    BOOST_TEST((class_of(block) == kNoClass));
    BOOST_TEST(heap.usable(block) >= size);
    BOOST_TEST(heap.usable(block) < size + kGrainSize);
    BOOST_TEST(snapshot().large_blocks == 1U);
    BOOST_TEST(snapshot().large_live_bytes + free_bytes() == heap.size_bytes());
    kept = std::min(kept, heap.usable(block));
    BOOST_TEST(holds(block, 0, kept, 0x5a));
  }
  BOOST_REQUIRE(heap.resize(block, heap_class(64 * kKiB), 64 * kKiB));
  BOOST_TEST(snapshot().large_blocks == 0U);
  BOOST_TEST(snapshot().large_live_bytes == 0U);
  BOOST_TEST(heap.usable(block) == 64 * kKiB);
  BOOST_TEST(is_filled_with(block, 0x5a));
  BOOST_REQUIRE(give(block));
  BOOST_TEST(everything_is_free());
}

BOOST_AUTO_TEST_CASE(a_large_block_keeps_its_place_and_contents_at_any_size) {
  for (uint32_t i = 0; i < 64; ++i) {  // from every line of a page
    void* block = get_large(2 * kMiB);
    fill(block);
    for (const size_t size : {kMiB, 512 * kKiB, 20 * kKiB, 4608 * size_t{1}}) {
      const size_t before = heap.usable(block);
      if (heap.resize(block, heap_class(size), size)) {
        BOOST_REQUIRE(heap.usable(block) == size);
      } else {
        BOOST_REQUIRE(heap.usable(block) == before);
      }
      BOOST_REQUIRE(is_filled_with(block, 0x5a));
    }
    BOOST_REQUIRE(give(block));
    BOOST_REQUIRE(everything_is_free());
  }
}

BOOST_AUTO_TEST_CASE(no_size_is_too_large_to_be_refused) {
  void* block = get_large(3 * kMiB);
  fill(block);
  const size_t usable = heap.usable(block);
  for (const size_t size : {kMaxRun + kMiB, kGiB, size_t{1} << 41, (size_t{1} << 41) + 2 * kMiB,
                            size_t{PTRDIFF_MAX}, SIZE_MAX - 100}) {
    BOOST_TEST(!heap.resize(block, kNoClass, size));
    BOOST_REQUIRE(heap.usable(block) == usable);
  }
  BOOST_TEST(is_filled_with(block, 0x5a));
}

// --- where a block is

struct Finder : PageHeapFixture {
  // Whether all places of a live block are found to be its, and the ones around it are not.
  void check(const void* block) const {
    const size_t start = offset(block);
    const size_t bytes = heap.usable(block);
    PageHeap::Found found{};
    for (const size_t inside : {size_t{0}, size_t{1}, kGrainSize, bytes / 2, bytes - 1}) {
      BOOST_REQUIRE(heap.find(start + inside, found));
      BOOST_REQUIRE(found.start == start);
      BOOST_REQUIRE(found.bytes == bytes);
      BOOST_REQUIRE((found.index == class_of(block)));
    }
    if (start != 0 && heap.find(start - 1, found)) {
      BOOST_REQUIRE(found.start < start);
      BOOST_REQUIRE(found.start + found.bytes >= start);
    }
    if (heap.find(start + bytes, found)) {
      BOOST_REQUIRE(found.start >= start + bytes);
    }
  }
};

BOOST_FIXTURE_TEST_CASE(live_blocks_are_found_from_all_their_places, Finder) {
  std::vector<void*> blocks;
  for (uint8_t i = 1; i <= config::kHeapClassCount; ++i) {
    blocks.push_back(get(ClassIndex{i}));
    blocks.push_back(get_large(kMiB + i * 16 * kKiB + 1));
  }
  blocks.push_back(get_large(20 * kMiB));
  for (const void* block : blocks) {
    check(block);
  }
  for (size_t i = 0; i < blocks.size(); i += 2) {
    BOOST_REQUIRE(give(blocks[i]));
  }
  PageHeap::Found found{};
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i % 2 == 1) {
      check(blocks[i]);
    } else {
      BOOST_REQUIRE(!heap.find(offset(blocks[i]) + 2000, found));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(resized_blocks_are_found_as_long_as_they_are, Finder) {
  void* block = get_large(20 * kMiB);
  check(block);
  BOOST_REQUIRE(heap.resize(block, kNoClass, 3 * kMiB));
  check(block);
  PageHeap::Found found{};
  BOOST_TEST(!heap.find(offset(block) + 10 * kMiB, found));
  BOOST_REQUIRE(heap.resize(block, heap_class(512 * kKiB), 512 * kKiB));
  check(block);
  BOOST_TEST(!heap.find(offset(block) + 2 * kMiB, found));
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_longest_block_is_found, Finder) {
  void* block = get_large(kMaxRun);
  BOOST_REQUIRE(block != nullptr);
  check(block);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_found_where_nothing_was, Finder) {
  PageHeap::Found found{};
  BOOST_TEST(!heap.find(0, found));
  BOOST_TEST(!heap.find(100 * kMiB, found));
  void* block = get(4 * kKiB);
  check(block);
  BOOST_TEST(!heap.find(100 * kMiB, found));
}

// Its chunks are odd in number; see WideSlots for lines.
struct OddHeap : PageHeapFixture {
  OddHeap() : PageHeapFixture(262 * kMiB) {}
};

BOOST_FIXTURE_TEST_CASE(no_wide_block_starts_at_the_line_of_its_entry, OddHeap) {
  const auto line = [](const void* address) {
    return reinterpret_cast<uintptr_t>(address) % kGranuleSize / kLineSize;
  };
  uint32_t count = 0;
  for (void* block; (block = heap.wide().take(kMiB)) != nullptr; ++count) {
    BOOST_TEST(heap.is_wide(block));
    BOOST_TEST(line(block) != line(&heap.arena().entry_at(offset(block))));
  }
  BOOST_TEST(count == 16U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
