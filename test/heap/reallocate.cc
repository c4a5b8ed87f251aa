// SPDX-License-Identifier: MIT
// realloc: contents, place and failure.
#include <algorithm>
#include <cerrno>
#include <vector>

#include "alloc/heap/inspect.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

const core::WideSlots& wide() { return heap.engine.store().wide(); }
bool is_wide(const void* block) { return heap.engine.store().is_wide(block); }

// A block of the largest class with others right behind it.
class HemmedIn {
 public:
  HemmedIn() : block(static_cast<char*>(allocate(2 * kMiB))) {
    BOOST_REQUIRE(reallocate(block, kMiB) == block);
    // New chunks are the last resort: one of these is where there is room behind the block.
    const char* const end = block + kMiB + 2 * kGranuleSize;
    const char* other = nullptr;
    do {
      others_.push_back(allocate(kMiB));
      other = static_cast<const char*>(others_.back());
      BOOST_REQUIRE(others_.size() < 10000U);
    } while (other < block || other > end);
  }
  ~HemmedIn() {
    for (void* other : others_) {
      free(other);
    }
  }
  HemmedIn(const HemmedIn&) = delete;
  HemmedIn& operator=(const HemmedIn&) = delete;

  char* block;  // the test's to free

 private:
  std::vector<void*> others_;
};

BOOST_FIXTURE_TEST_SUITE(heap_reallocate, HeapFixture)

BOOST_AUTO_TEST_CASE(contents_survive_every_crossing) {
  for (const size_t from : kSizes) {
    for (const size_t to : kSizes) {
      void* block = allocate(from);
      fill(block, from, 1);
      void* moved = reallocate(block, to);
      BOOST_REQUIRE(moved != nullptr);
      BOOST_TEST(is_filled(moved, std::min(from, to), 1));
      BOOST_TEST(usable_size(moved) >= to);
      // What is barely too small for the pool may stay in it.
      BOOST_TEST((moved == block || is_pooled(moved) == (to >= 4 * kKiB)));
      free(moved);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_block_stays_as_it_is_while_it_needs_more_than_half) {
  void* block = allocate(20000);
  for (const size_t size : {size_t{20480}, size_t{10241}, size_t{18433}}) {
    BOOST_TEST(reallocate(block, size) == block);
    BOOST_TEST(usable_size(block) == 20480U);
  }
  free(block);
}

BOOST_AUTO_TEST_CASE(a_block_shrunk_to_half_gives_memory_back_where_it_is) {
  void* block = allocate(kMiB);
  fill(block, 20000, 2);
  const stats::Snapshot before = snapshot();
  BOOST_TEST(reallocate(block, 20000) == block);
  const stats::Snapshot after = snapshot();
  BOOST_TEST(usable_size(block) == 20480U);
  BOOST_TEST(is_filled(block, 20000, 2));
  BOOST_TEST(after.pool_free_bytes >= before.pool_free_bytes + kMiB - 20480);
  BOOST_TEST(after.pool_live_bytes == before.pool_live_bytes - kMiB + 20480);
  free(block);
}

BOOST_AUTO_TEST_CASE(a_block_grows_into_free_memory_behind_it_whatever_its_class) {
  void* block = allocate(kMiB);
  fill(block, kMiB, 3);
  // Down, and up again to where it was.
  size_t kept = kMiB;
  for (const size_t size : {size_t{500000}, size_t{600000}, size_t{5000}, size_t{5121},
                            size_t{70000}, size_t{4096}, kMiB, size_t{100000}, size_t{1000000}}) {
    kept = std::min(kept, size);
    BOOST_TEST(reallocate(block, size) == block);
    BOOST_TEST(usable_size(block) >= size);
    BOOST_TEST(usable_size(block) <= 2 * size);
    BOOST_REQUIRE(is_filled(block, kept, 3));
    fill(block, size, 3);
    kept = size;
  }
  free(block);
}

BOOST_AUTO_TEST_CASE(a_large_block_becomes_one_of_a_class_and_large_again_where_it_is) {
  void* block = allocate(9 * kMiB);
  const stats::Snapshot before = snapshot();
  fill(block, 9 * kMiB, 4);
  size_t kept = 9 * kMiB;
  for (const size_t size : {3 * kMiB, 8 * kMiB, kMiB, 2 * kMiB, 100 * kKiB, 9 * kMiB}) {
    kept = std::min(kept, size);
    BOOST_TEST(reallocate(block, size) == block);
    BOOST_TEST(usable_size(block) >= size);
    BOOST_REQUIRE(is_filled(block, kept, 4));
    fill(block, size, 4);
    kept = size;
    const stats::Snapshot now = snapshot();
    BOOST_TEST(now.large_blocks == before.large_blocks - (size > kMiB ? 0 : 1));
  }
  free(block);
  const stats::Snapshot after = snapshot();
  BOOST_TEST(after.large_blocks == before.large_blocks - 1);
  BOOST_TEST(after.pool_live_bytes == before.pool_live_bytes);
}

BOOST_AUTO_TEST_CASE(a_block_does_not_grow_over_its_neighbour) {
  const HemmedIn hemmed_in;
  fill(hemmed_in.block, kMiB, 5);
  const size_t usable = usable_size(hemmed_in.block);
  auto* grown = static_cast<char*>(reallocate(hemmed_in.block, usable + kMiB));
  BOOST_TEST((grown != hemmed_in.block));
  BOOST_TEST(is_filled(grown, kMiB, 5));
  free(grown);
}

// 64 KiB to 256 KiB: two doublings of three copies each at most, and one to begin with. The blocks
// grow in turn, so that each has a neighbour.
BOOST_AUTO_TEST_CASE(growth_in_steps_copies_at_each_quarter) {
  constexpr size_t kStep = 4 * kKiB;
  std::vector<void*> blocks(64);
  uint32_t copies = 0;
  for (size_t size = 64 * kKiB; size <= 256 * kKiB; size += kStep) {
    for (void*& block : blocks) {
      void* const moved = reallocate(block, size);
      BOOST_REQUIRE(moved != nullptr);
      BOOST_REQUIRE(usable_size(moved) >= size);
      BOOST_REQUIRE(usable_size(moved) <= size + size / 2);
      copies += moved != block ? 1 : 0;
      if (size > 64 * kKiB) {
        BOOST_REQUIRE(is_filled(moved, size - kStep, 1));
      }
      fill(moved, size, 1);
      block = moved;
    }
  }
  BOOST_TEST(copies <= 8 * blocks.size());
  for (void* block : blocks) {
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(growth_by_more_than_a_step_gets_no_room) {
  void* const block = allocate(64 * kKiB);
  void* const grown = reallocate(block, 96 * kKiB);
  BOOST_TEST(usable_size(grown) <= 97 * kKiB);
  free(grown);
}

BOOST_AUTO_TEST_CASE(growth_in_steps_copies_once_above_the_largest_class) {
  const HemmedIn hemmed_in;
  void* block = hemmed_in.block;
  fill(block, kMiB, 4);
  trim(0);  // no free run has memory
  int moves = 0;
  for (size_t size = kMiB + 64 * kKiB; size < wide().max_bytes(); size += size / 2) {
    void* grown = reallocate(block, size);
    BOOST_REQUIRE(grown != nullptr);
    moves += grown != block ? 1 : 0;
    block = grown;
    BOOST_TEST(is_wide(block));
    BOOST_REQUIRE(is_filled(block, kMiB, 4));
    BOOST_REQUIRE(usable_size(block) >= size);
    static_cast<char*>(block)[size - 1] = 1;
  }
  BOOST_TEST(moves == 1);
  free(block);
}

BOOST_AUTO_TEST_CASE(growth_above_the_largest_class_takes_free_memory_first) {
  const HemmedIn hemmed_in;
  fill(hemmed_in.block, kMiB, 4);
  void* const before = allocate(16 * kMiB);
  fill(before, 16 * kMiB, 1);
  free(before);
  void* const grown = reallocate(hemmed_in.block, 2 * kMiB);
  BOOST_TEST(!is_wide(grown));
  BOOST_TEST(is_filled(grown, kMiB, 4));
  BOOST_TEST((reallocate(grown, 4 * kMiB) == grown));
  free(grown);
}

BOOST_AUTO_TEST_CASE(growth_beyond_a_wide_slot_and_every_run_reaches_mimalloc) {
  const size_t most = std::max<size_t>(wide().max_bytes(), 64 * kMiB);
  trim(0);
  void* block = take_growing(wide().max_bytes());
  BOOST_REQUIRE(is_wide(block));
  fill(block, 20000, 5);
  block = reallocate(block, most + kMiB);
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST(!is_pooled(block));
  BOOST_TEST(is_filled(block, 20000, 5));
  free(block);
}

BOOST_AUTO_TEST_CASE(a_wide_block_stays_and_gives_memory_back_until_a_class_will_do) {
  const HemmedIn hemmed_in;
  fill(hemmed_in.block, kMiB, 6);
  trim(0);
  auto* block = static_cast<char*>(reallocate(hemmed_in.block, wide().max_bytes() / 2));
  BOOST_REQUIRE(is_wide(block));
  const uint64_t purged = wide().purged_bytes();
  BOOST_TEST((reallocate(block, 3 * kMiB / 2) == block));
  BOOST_TEST(is_filled(block, kMiB, 6));
  if (wide().max_bytes() >= 15 * kMiB) {  // by the machine's memory
    BOOST_TEST(wide().purged_bytes() > purged);
  }
  void* smaller = reallocate(block, 400 * kKiB);
  BOOST_TEST(is_filled(smaller, 400 * kKiB, 6));
  BOOST_TEST(is_pooled(smaller));
  BOOST_TEST(!is_wide(smaller));
  free(smaller);
}

BOOST_AUTO_TEST_CASE(null_allocates_and_size_zero_frees) {
  void* block = reallocate(nullptr, 20000);
  BOOST_TEST(is_pooled(block));
  const uint64_t live = snapshot().pool_live_bytes;
  const size_t usable = usable_size(block);
  BOOST_TEST(reallocate(block, 0) == nullptr);
  BOOST_TEST(snapshot().pool_live_bytes == live - usable);
}

BOOST_AUTO_TEST_CASE(a_failure_leaves_the_block) {
  for (const size_t size : {size_t{100}, size_t{20000}, 2 * kMiB}) {
    void* block = allocate(size);
    fill(block, size, 3);
    for (const size_t impossible : kImpossibleSizes) {
      errno = 0;
      BOOST_TEST(reallocate(block, impossible) == nullptr);
      BOOST_TEST(errno == ENOMEM);
    }
    BOOST_TEST(is_filled(block, size, 3));
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(success_leaves_errno) {
  errno = 4711;
  void* block = allocate(5000);
  for (const size_t size : kSizes) {
    block = reallocate(block, size);
  }
  free(block);
  BOOST_TEST(errno == 4711);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
