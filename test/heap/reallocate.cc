// realloc: contents, place and failure.
#include <algorithm>
#include <cerrno>

#include "alloc/heap/inspect.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

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

BOOST_AUTO_TEST_CASE(a_block_stays_where_it_is_within_its_class) {
  void* block = allocate(17000);
  for (const size_t size : {size_t{20480}, size_t{16385}, size_t{20000}}) {
    BOOST_TEST(reallocate(block, size) == block);
  }
  free(block);
}

BOOST_AUTO_TEST_CASE(a_block_shrunk_to_half_gives_memory_back) {
  void* block = allocate(kMiB);
  fill(block, 20000, 2);
  block = reallocate(block, 20000);
  BOOST_TEST(usable_size(block) < kMiB);
  BOOST_TEST(is_filled(block, 20000, 2));
  free(block);
}

BOOST_AUTO_TEST_CASE(a_block_stays_where_it_is_when_only_others_of_its_size_have_memory) {
  trim(0);
  void* block = allocate(160 * kKiB);
  fill(block, 80 * kKiB, 7);
  free(allocate(160 * kKiB));  // serves smaller requests now
  for (int i = 0; i < 4; ++i) {
    BOOST_TEST(reallocate(block, 80 * kKiB) == block);
  }
  BOOST_TEST(is_filled(block, 80 * kKiB, 7));
  free(block);
}

BOOST_AUTO_TEST_CASE(growth_in_steps_copies_once) {
  size_t size = 4 * kKiB;
  void* block = allocate(size);
  fill(block, size, 4);
  int moves = 0;
  while (size < 40 * kMiB) {
    const size_t before = size;
    size += size / 2;
    void* grown = reallocate(block, size);
    BOOST_REQUIRE(grown != nullptr);
    moves += grown != block ? 1 : 0;
    block = grown;
    BOOST_REQUIRE(is_filled(block, std::min<size_t>(before, 4 * kKiB), 4));
    BOOST_REQUIRE(usable_size(block) >= size);
    static_cast<char*>(block)[size - 1] = 1;
  }
  BOOST_TEST(moves == 1);
  free(block);
}

BOOST_AUTO_TEST_CASE(growth_beyond_every_slot_reaches_the_fallback) {
  const size_t most = heap.engine.large().most_bytes();
  void* block = allocate(most);
  BOOST_TEST(is_pooled(block));
  fill(block, 20000, 5);
  block = reallocate(block, most + kMiB);
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST(!is_pooled(block));
  BOOST_TEST(is_filled(block, 20000, 5));
  free(block);
}

BOOST_AUTO_TEST_CASE(a_large_block_that_shrinks_gives_its_tail_back) {
  auto* block = static_cast<char*>(allocate(20 * kMiB));
  fill(block, 20 * kMiB, 6);
  const uint64_t purged = heap.engine.large().purged_bytes();
  BOOST_TEST(reallocate(block, 5 * kMiB) == block);
  BOOST_TEST(heap.engine.large().purged_bytes() >= purged + 15 * kMiB - kGranuleSize);
  BOOST_TEST(is_filled(block, 5 * kMiB, 6));
  BOOST_TEST(reallocate(block, 20 * kMiB) == block);
  BOOST_TEST(is_zero(block + 6 * kMiB, 14 * kMiB));
  void* small = reallocate(block, 30000);
  BOOST_TEST(small != block);
  BOOST_TEST(is_filled(small, 30000, 6));
  free(small);
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
