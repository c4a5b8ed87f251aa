// SPDX-License-Identifier: MIT
// calloc, memalign, malloc_usable_size and sized free.
#include <cerrno>
#include <vector>

#include "alloc/heap/counters.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(heap_family, HeapFixture)

BOOST_AUTO_TEST_CASE(a_zeroed_block_is_zero_where_another_was_dirty) {
  for (const size_t size : kSizes) {
    void* dirty = allocate(size);
    fill(dirty, size, 1);
    free(dirty);
    void* block = allocate_zeroed(size);
    BOOST_REQUIRE(block != nullptr);
    BOOST_TEST(is_zero(block, size));
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(a_dirty_block_is_zeroed_also_when_it_comes_from_the_freelist) {
  constexpr size_t kSize = 40 * kKiB;
  std::vector<void*> blocks;
  for (int i = 0; i < 200; ++i) {
    blocks.push_back(allocate(kSize));
    fill(blocks.back(), kSize, 2);
  }
  for (void* block : blocks) {
    free(block);
  }
  heap.engine.flush(thread_state);
  for (void*& block : blocks) {
    block = allocate_zeroed(kSize);
    BOOST_REQUIRE(is_zero(block, kSize));
  }
  for (void* block : blocks) {
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(blocks_never_used_before_are_zero) {
  for (const size_t size : {28 * kKiB, 3 * kMiB}) {
    const uint64_t grown = snapshot().pool_grown_bytes;
    std::vector<void*> blocks;
    while (snapshot().pool_grown_bytes < grown + 2 * core::kChunkSize) {
      blocks.push_back(allocate_zeroed(size));
      BOOST_REQUIRE(is_zero(blocks.back(), size));
    }
    for (void* block : blocks) {
      free(block);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_alignment_holds_for_every_size) {
  for (size_t alignment = 1; alignment <= 4 * kMiB; alignment *= 2) {
    for (const size_t size : kSizes) {
      void* block = allocate_aligned(alignment, size);
      BOOST_REQUIRE(block != nullptr);
      BOOST_TEST(is_aligned(block, alignment));
      BOOST_TEST(usable_size(block) >= size);
      fill(block, size, 3);
      BOOST_TEST(is_filled(block, size, 3));
      free(block);
    }
  }
}

BOOST_AUTO_TEST_CASE(alignments_hold_for_neighbours_of_every_class) {
  for (const size_t alignment : {size_t{64}, size_t{128}, size_t{256}, size_t{512}, 4 * kKiB}) {
    for (const size_t class_size : config::kHeapClassSizes) {
      // Requests just above a class, up to the next one's.
      for (const size_t size : {class_size, class_size + 1, class_size + 512}) {
        std::vector<void*> blocks;
        for (int i = 0; i < 8 && size != 0 && size <= config::kMaxPooledSize; ++i) {
          blocks.push_back(allocate_aligned(alignment, size));
          BOOST_TEST(is_aligned(blocks.back(), alignment));
        }
        for (void* block : blocks) {
          free(block);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(aligned_requests_of_pooled_sizes_come_from_the_pool) {
  for (const size_t alignment : {size_t{64}, 4 * kKiB, 16 * kKiB, 64 * kKiB, 512 * kKiB}) {
    void* block = allocate_aligned(alignment, 20000);
    BOOST_TEST(is_pooled(block));
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(aligned_requests_above_the_largest_class_are_large_blocks) {
  for (const size_t alignment : {size_t{64}, 8 * kKiB, 64 * kKiB, 2 * kMiB}) {
    const uint64_t before = snapshot().large_blocks;
    void* block = allocate_aligned(alignment, kMiB + 1);
    BOOST_TEST(is_pooled(block));
    BOOST_TEST(snapshot().large_blocks == before + 1);
    BOOST_TEST(is_aligned(block, alignment));
    BOOST_TEST(usable_size(block) >= kMiB + 1);
    free(block);
    BOOST_TEST(snapshot().large_blocks == before);
  }
}

BOOST_AUTO_TEST_CASE(an_aligned_block_takes_no_more_than_its_class) {
  const uint64_t grown = snapshot().pool_grown_bytes;
  for (const size_t alignment : {size_t{64}, 4 * kKiB, 64 * kKiB, 2 * kMiB}) {
    for (const size_t size : {4 * kKiB, 20 * kKiB, 64 * kKiB, kMiB}) {
      void* block = allocate_aligned(alignment, size);
      BOOST_TEST(usable_size(block) == size);
      free(block);
    }
  }
  BOOST_TEST(snapshot().pool_grown_bytes <= grown + 4 * core::kChunkSize);
}

BOOST_AUTO_TEST_CASE(impossible_aligned_requests_fail_with_enomem) {
  for (const size_t alignment : {size_t{16}, kMiB, size_t{1} << 62}) {
    for (const size_t size : kImpossibleSizes) {
      errno = 0;
      BOOST_TEST(allocate_aligned(alignment, size) == nullptr);
      BOOST_TEST(errno == ENOMEM);
    }
  }
}

BOOST_AUTO_TEST_CASE(impossible_zeroed_requests_fail_with_enomem) {
  for (const size_t size : kImpossibleSizes) {
    errno = 0;
    BOOST_TEST(allocate_zeroed(size) == nullptr);
    BOOST_TEST(errno == ENOMEM);
  }
}

BOOST_AUTO_TEST_CASE(the_usable_size_covers_the_request_and_stays) {
  std::vector<void*> blocks;
  std::vector<size_t> usable;
  for (const size_t size : kSizes) {
    // One of three goes before the sizes are looked at again: there is room beside the others.
    for (int i = 0; i < 3; ++i) {
      blocks.push_back(allocate(size));
      usable.push_back(usable_size(blocks.back()));
      BOOST_TEST(usable.back() >= size);
      fill(blocks.back(), usable.back(), static_cast<unsigned>(blocks.size()));
    }
  }
  for (size_t i = 1; i < blocks.size(); i += 3) {
    free(blocks[i]);
  }
  heap.engine.flush(thread_state);
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i % 3 != 1) {
      BOOST_TEST(usable_size(blocks[i]) == usable[i]);
      BOOST_TEST(is_filled(blocks[i], usable[i], static_cast<unsigned>(i + 1)));
      free(blocks[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_live_has_no_usable_size) {
  BOOST_TEST(usable_size(nullptr) == 0U);
  auto* block = static_cast<char*>(allocate(50000));
  BOOST_TEST(usable_size(block + 1) == 0U);
  BOOST_TEST(usable_size(block + kGranuleSize) == 0U);
  free(block);
  BOOST_TEST(usable_size(block) == 0U);
}

BOOST_AUTO_TEST_CASE(a_wrong_size_given_to_free_is_counted_and_the_block_freed) {
  const uint64_t live = class_snapshot(20000).live;
  const uint64_t mismatches = counters.size_mismatches.get();
  for (const size_t good : {size_t{16385}, size_t{20000}, size_t{20480}}) {
    free_sized(allocate(20000), good);
  }
  BOOST_TEST(counters.size_mismatches.get() == mismatches);
  for (const size_t wrong : {size_t{0}, size_t{100}, size_t{4095}, 2 * kMiB}) {
    free_sized(allocate(20000), wrong);
  }
  BOOST_TEST(counters.size_mismatches.get() == mismatches + 4);
  BOOST_TEST(class_snapshot(20000).live == live);
}

BOOST_AUTO_TEST_CASE(a_size_that_the_block_never_had_room_for_is_a_mismatch) {
  const uint64_t mismatches = counters.size_mismatches.get();
  void* block = allocate(20000);
  const size_t room = usable_size(block);
  free_sized(block, room + 1);
  BOOST_TEST(counters.size_mismatches.get() == mismatches + 1);
}

BOOST_AUTO_TEST_CASE(the_size_of_a_large_or_grown_block_is_no_mismatch) {
  const uint64_t mismatches = counters.size_mismatches.get();
  for (const size_t size : {kMiB + 1, 3 * kMiB, 20 * kMiB}) {
    free_sized(allocate(size), size);
  }
  free_sized(reallocate(allocate(8 * kKiB), 50 * kKiB), 50 * kKiB);
  BOOST_TEST(counters.size_mismatches.get() == mismatches);
  free_sized(allocate(3 * kMiB), 4 * kMiB);
  free_sized(allocate(3 * kMiB), 100);
  BOOST_TEST(counters.size_mismatches.get() == mismatches + 2);
}

BOOST_AUTO_TEST_CASE(sizes_of_mimallocs_blocks_are_not_looked_at) {
  const uint64_t mismatches = counters.size_mismatches.get();
  free_sized(allocate(100), 20000);
  free_sized(nullptr, 20000);
  BOOST_TEST(counters.size_mismatches.get() == mismatches);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
