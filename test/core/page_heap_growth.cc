// SPDX-License-Identifier: MIT
// Which chunks get huge pages: those of a program that uses all of what it takes.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "test/core/page_heap_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

struct GrowthFixture : PageHeapFixture {
  GrowthFixture() : PageHeapFixture(512 * kMiB) {}
  // Takes blocks until the heap has so many bytes, and writes the first `used` of each.
  void grow_to(uint64_t bytes, size_t used) {
    while (heap.size_bytes() < bytes) {
      void* const block = get(kSize);
      BOOST_REQUIRE(block != nullptr);
      std::memset(block, 1, used);
    }
  }
  static constexpr size_t kSize = 512 * kKiB;
};

BOOST_FIXTURE_TEST_SUITE(page_heap_growth, GrowthFixture)

BOOST_AUTO_TEST_CASE(a_heap_that_is_used_throughout_gets_huge_pages) {
  heap.allow_huge_pages();
  grow_to(60 * kMiB, kSize);
  BOOST_TEST(faulty::huge_bytes() == 0U);  // nothing is known yet
  grow_to(200 * kMiB, kSize);
  BOOST_TEST(faulty::huge_bytes() >= 64 * kMiB);
}

BOOST_AUTO_TEST_CASE(a_heap_of_sparse_blocks_gets_none) {
  heap.allow_huge_pages();
  grow_to(300 * kMiB, 8 * kKiB);
  BOOST_TEST(faulty::huge_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_heap_that_gets_sparse_gets_no_more) {
  heap.allow_huge_pages();
  grow_to(140 * kMiB, kSize);
  BOOST_TEST(faulty::huge_bytes() > 0U);
  grow_to(210 * kMiB, 8 * kKiB);
  const uint64_t before = faulty::huge_bytes();
  grow_to(340 * kMiB, 8 * kKiB);
  BOOST_TEST(faulty::huge_bytes() == before);
}

BOOST_AUTO_TEST_CASE(without_leave_there_are_none) {
  grow_to(200 * kMiB, kSize);
  BOOST_TEST(faulty::huge_bytes() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
