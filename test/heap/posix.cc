// SPDX-License-Identifier: MIT
// The C library's rules for bad arguments.
#include "alloc/heap/posix.h"

#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr int kUntouched = 4711;

BOOST_FIXTURE_TEST_SUITE(heap_posix, HeapFixture)

BOOST_AUTO_TEST_CASE(posix_memalign_refuses_alignments_that_it_must) {
  for (const size_t alignment : {0U, 1U, 2U, 3U, 4U, 12U, 24U, 4095U}) {
    int mark = 0;
    void* out = &mark;
    errno = kUntouched;
    BOOST_TEST(posix_memalign(&out, alignment, 20000) == EINVAL);
    BOOST_TEST(out == &mark);
    BOOST_TEST(errno == kUntouched);
  }
}

BOOST_AUTO_TEST_CASE(posix_memalign_out_of_memory_touches_neither_errno_nor_the_pointer) {
  for (const size_t size : kImpossibleSizes) {
    int mark = 0;
    void* out = &mark;
    errno = kUntouched;
    BOOST_TEST(posix_memalign(&out, 4096, size) == ENOMEM);
    BOOST_TEST(out == &mark);
    BOOST_TEST(errno == kUntouched);
  }
}

BOOST_AUTO_TEST_CASE(posix_memalign_gives_aligned_blocks) {
  for (size_t alignment = sizeof(void*); alignment <= kMiB; alignment *= 2) {
    void* out = nullptr;
    BOOST_TEST(posix_memalign(&out, alignment, 20000) == 0);
    BOOST_TEST(is_aligned(out, alignment));
    free(out);
  }
}

BOOST_AUTO_TEST_CASE(memalign_rounds_an_alignment_up_to_a_power_of_two) {
  struct Pair {
    size_t asked;
    size_t given;
  };
  for (const auto& [asked, given] : {Pair{0, 1}, {1, 1}, {3, 4}, {48, 64}, {5000, 8192}}) {
    void* block = memalign(asked, 20000);
    BOOST_TEST(is_aligned(block, given));
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(memalign_refuses_an_alignment_that_no_power_of_two_reaches) {
  errno = 0;
  BOOST_TEST(memalign(size_t{PTRDIFF_MAX} + 2, 100) == nullptr);
  BOOST_TEST(errno == EINVAL);
  BOOST_TEST(memalign(size_t{PTRDIFF_MAX} + 1, 100) == nullptr);
  BOOST_TEST(errno == ENOMEM);
}

BOOST_AUTO_TEST_CASE(valloc_and_pvalloc_give_whole_pages) {
  const size_t page = os::page_size();
  for (const size_t size : {size_t{0}, size_t{1}, page, page + 1, 5 * page - 1}) {
    void* plain = valloc(size);
    void* rounded = pvalloc(size);
    BOOST_TEST(is_aligned(plain, page));
    BOOST_TEST(is_aligned(rounded, page));
    BOOST_TEST(usable_size(rounded) >= align_up(size, page));
    free(plain);
    free(rounded);
  }
  errno = 0;
  BOOST_TEST(pvalloc(SIZE_MAX) == nullptr);
  BOOST_TEST(errno == ENOMEM);
}

BOOST_AUTO_TEST_CASE(products_that_overflow_fail_with_enomem) {
  for (const size_t count : {SIZE_MAX, SIZE_MAX / 2, (size_t{1} << 32) + 1}) {
    errno = 0;
    BOOST_TEST(calloc(count, size_t{1} << 32) == nullptr);
    BOOST_TEST(errno == ENOMEM);
    void* block = allocate(20000);
    fill(block, 20000, 1);
    errno = 0;
    BOOST_TEST(reallocarray(block, count, size_t{1} << 32) == nullptr);
    BOOST_TEST(errno == ENOMEM);
    BOOST_TEST(is_filled(block, 20000, 1));
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(products_that_fit_are_served) {
  void* block = calloc(100, 200);
  BOOST_TEST(is_zero(block, 20000));
  fill(block, 20000, 2);
  block = reallocarray(block, 1000, 200);
  BOOST_TEST(is_filled(block, 20000, 2));
  BOOST_TEST(usable_size(block) >= 200000U);
  free(block);
}

BOOST_AUTO_TEST_CASE(nothing_times_something_is_a_block) {
  void* block = calloc(0, 5000);
  BOOST_TEST(block != nullptr);
  free(block);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
