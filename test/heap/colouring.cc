// SPDX-License-Identifier: MIT
// Blocks of 64 KiB and more start at many lines of their first page; explicit alignments are kept.
#include <algorithm>
#include <set>
#include <vector>

#include "alloc/heap/posix.h"
#include "test/child.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using spillway::testing::Ending;
using spillway::testing::run_in_child;

constexpr size_t kLines = kGranuleSize / core::kLineSize;
constexpr size_t kColouredSizes[] = {kMinColouredSize, 100000,   256 * kKiB, kMiB,
                                     kMiB + 1,         3 * kMiB, 9 * kMiB};

size_t inside_page(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % kGranuleSize;
}

// Of this size, by address.
std::vector<char*> sorted_blocks(size_t count, size_t size) {
  std::vector<char*> blocks;
  for (size_t i = 0; i < count; ++i) {
    blocks.push_back(static_cast<char*>(allocate(size)));
    BOOST_REQUIRE(is_pooled(blocks.back()));
  }
  std::sort(blocks.begin(), blocks.end());
  return blocks;
}
void free_all(const std::vector<char*>& blocks) {
  for (char* block : blocks) {
    free(block);
  }
}

// A block that does not start with its page.
char* off_page_block(size_t size) {
  std::vector<char*> blocks = sorted_blocks(kLines, size);
  const auto chosen = std::find_if(blocks.begin(), blocks.end(),
                                   [](const char* block) { return inside_page(block) != 0; });
  BOOST_REQUIRE((chosen != blocks.end()));
  char* const block = *chosen;
  blocks.erase(chosen);
  free_all(blocks);
  return block;
}

BOOST_FIXTURE_TEST_SUITE(heap_colouring, HeapFixture)

BOOST_AUTO_TEST_CASE(blocks_of_a_size_do_not_all_start_at_the_same_line) {
  for (const size_t size : kColouredSizes) {
    const std::vector<char*> blocks = sorted_blocks(size > kMiB ? 20 : 2 * kLines, size);
    std::set<size_t> starts;
    for (const char* block : blocks) {
      BOOST_TEST(is_aligned(block, core::kLineSize));
      starts.insert(inside_page(block));
    }
    BOOST_TEST(starts.size() >= 10U, size);
    free_all(blocks);
  }
}

BOOST_AUTO_TEST_CASE(neighbours_start_at_different_lines) {
  constexpr size_t kBlock = 256 * kKiB;  // a class
  const std::vector<char*> blocks = sorted_blocks(3 * kLines, kBlock);
  size_t neighbours = 0;
  for (size_t i = 0; i + 1 < blocks.size(); ++i) {
    if (blocks[i + 1] - blocks[i] < static_cast<ptrdiff_t>(kBlock + kGranuleSize)) {
      BOOST_TEST(inside_page(blocks[i]) != inside_page(blocks[i + 1]));
      ++neighbours;
    }
  }
  BOOST_TEST(neighbours > kLines);
  free_all(blocks);
}

BOOST_AUTO_TEST_CASE(smaller_blocks_start_at_a_grain) {
  for (const size_t size : {size_t{4096}, size_t{4097}, size_t{12288}, size_t{28673}, 60 * kKiB}) {
    const std::vector<char*> blocks = sorted_blocks(20, size);
    BOOST_TEST(std::all_of(blocks.begin(), blocks.end(),
                           [](const char* block) { return is_aligned(block, core::kGrainSize); }));
    free_all(blocks);
  }
}

BOOST_AUTO_TEST_CASE(all_of_a_coloured_block_may_be_used) {
  const std::vector<char*> blocks = sorted_blocks(kLines + 1, 70 * kKiB);
  for (unsigned i = 0; i < blocks.size(); ++i) {
    BOOST_TEST(usable_size(blocks[i]) == 72 * kKiB);
    fill(blocks[i], 72 * kKiB, i);
  }
  for (unsigned i = 0; i < blocks.size(); ++i) {
    BOOST_REQUIRE(is_filled(blocks[i], 72 * kKiB, i));
  }
  free_all(blocks);
}

BOOST_AUTO_TEST_CASE(all_of_a_large_block_may_be_used) {
  const std::vector<char*> blocks = sorted_blocks(20, kMiB + 1);
  for (unsigned i = 0; i < blocks.size(); ++i) {
    BOOST_TEST(usable_size(blocks[i]) >= kMiB + 1);
    BOOST_TEST(usable_size(blocks[i]) <= kMiB + 1 + 2 * kGranuleSize);
    fill(blocks[i], usable_size(blocks[i]), i);
  }
  for (unsigned i = 0; i < blocks.size(); ++i) {
    BOOST_REQUIRE(is_filled(blocks[i], usable_size(blocks[i]), i));
  }
  free_all(blocks);
}

BOOST_AUTO_TEST_CASE(a_coloured_block_is_freed_by_its_own_address_only) {
  for (const size_t size : {size_t{256 * kKiB}, 3 * kMiB}) {
    char* block = off_page_block(size);
    char* const page = block - inside_page(block);
    const size_t usable = usable_size(block);
    for (size_t line = 0; line < kLines; ++line) {
      char* other = page + line * core::kLineSize;
      if (other == block) {
        continue;
      }
      BOOST_TEST(usable_size(other) == 0U);
      if (line % 8 == 0 || std::abs(other - block) == static_cast<ptrdiff_t>(core::kLineSize)) {
        BOOST_TEST(run_in_child([other] { free(other); }).was_killed_by(SIGABRT));
      }
    }
    BOOST_TEST(usable_size(block + 1) == 0U);
    BOOST_TEST(usable_size(block + kGranuleSize) == 0U);
    BOOST_TEST(usable_size(block) == usable);
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(page_aligned_requests_of_coloured_sizes_start_with_a_page) {
  for (const size_t size : kColouredSizes) {
    std::vector<void*> blocks;
    for (unsigned i = 0; i < 10; ++i) {
      void* block = nullptr;
      BOOST_REQUIRE(posix_memalign(&block, kGranuleSize, size) == 0);
      BOOST_TEST(is_pooled(block));
      BOOST_TEST(is_aligned(block, kGranuleSize));
      BOOST_TEST(usable_size(block) >= size);
      fill(block, size, i);
      blocks.push_back(block);
    }
    for (unsigned i = 0; i < blocks.size(); ++i) {
      BOOST_REQUIRE(is_filled(blocks[i], size, i));
      free(blocks[i]);
    }
    BOOST_TEST(run_in_child([&] { free(blocks.back()); }).was_killed_by(SIGABRT));
  }
}

BOOST_AUTO_TEST_CASE(large_alignments_hold_and_blocks_can_be_used_and_moved) {
  for (size_t alignment = 8 * kKiB; alignment <= 2 * kMiB; alignment *= 2) {
    for (const size_t size : {size_t{4096}, size_t{32769}, size_t{50000}, size_t{131072},
                              size_t{300000}, size_t{921600}, kMiB, 2 * kMiB + 1}) {
      void* block = nullptr;
      BOOST_REQUIRE(posix_memalign(&block, alignment, size) == 0);
      BOOST_TEST(is_pooled(block));
      BOOST_TEST(is_aligned(block, alignment));
      const size_t usable = usable_size(block);
      BOOST_REQUIRE(usable >= size);
      void* neighbour = allocate(usable);
      fill(block, usable, 1);
      fill(neighbour, usable, 2);
      BOOST_TEST(is_filled(block, usable, 1));
      BOOST_TEST(usable_size(block) == usable);
      block = reallocate(block, usable + 1);
      BOOST_REQUIRE(is_filled(block, usable, 1));
      free(block);
      BOOST_REQUIRE(is_filled(neighbour, usable, 2));
      free(neighbour);
      BOOST_REQUIRE(posix_memalign(&block, alignment, size) == 0);
      fill(block, size, 3);
      block = reallocate(block, size / 4);
      BOOST_REQUIRE(is_filled(block, size / 4, 3));
      free(block);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_aligned_block_is_freed_once_and_by_its_own_address) {
  for (const size_t size : {100 * kKiB, 3 * kMiB}) {
    void* aligned = nullptr;
    BOOST_REQUIRE(posix_memalign(&aligned, 64 * kKiB, size) == 0);
    auto* block = static_cast<char*>(aligned);
    for (char* wrong : {block + 64, block + core::kGrainSize, block + kGranuleSize}) {
      BOOST_TEST(usable_size(wrong) == 0U);
      BOOST_TEST(run_in_child([wrong] { free(wrong); }).was_killed_by(SIGABRT));
    }
    const Ending again = run_in_child([block] {
      free(block);
      free(block);
    });
    BOOST_TEST(again.was_killed_by(SIGABRT));
    const stats::Snapshot before = snapshot();
    const size_t usable = usable_size(block);
    free(block);
    const stats::Snapshot after = snapshot();
    BOOST_TEST(before.pool_live_bytes + before.large_live_bytes ==
               after.pool_live_bytes + after.large_live_bytes + usable);
  }
}

BOOST_AUTO_TEST_CASE(a_zeroed_block_is_zero_where_an_aligned_one_was) {
  void* aligned = nullptr;
  BOOST_REQUIRE(posix_memalign(&aligned, 64 * kKiB, 100 * kKiB) == 0);
  const size_t size = usable_size(aligned);
  fill(aligned, size, 5);
  const auto* block = static_cast<const char*>(aligned);
  free(aligned);
  std::vector<void*> zeroed;
  bool met = false;
  for (int i = 0; i < 1000 && !met; ++i) {
    zeroed.push_back(allocate_zeroed(size));
    BOOST_REQUIRE(is_zero(zeroed.back(), size));
    const auto* start = static_cast<const char*>(zeroed.back());
    met = block < start + size && start < block + size;
  }
  BOOST_TEST(met);
  for (void* other : zeroed) {
    free(other);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
