// realloc: contents, place and failure.
#include <algorithm>
#include <cerrno>

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
      BOOST_TEST((moved == block || is_pooled(moved) == is_pooled_size(to)));
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

BOOST_AUTO_TEST_CASE(null_allocates_and_size_zero_frees) {
  void* block = reallocate(nullptr, 20000);
  BOOST_TEST(is_pooled(block));
  const uint64_t live = class_snapshot(20000).live;
  BOOST_TEST(reallocate(block, 0) == nullptr);
  BOOST_TEST(class_snapshot(20000).live == live - 1);
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
