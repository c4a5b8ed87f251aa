// Plain blocks from 32 KiB on start at any line of their slot's first page; aligned ones do not,
// and those of larger alignments start anywhere in their slot.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "alloc/heap/posix.h"
#include "test/heap/child.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kBlock = 256 * kKiB;  // a class
constexpr size_t kLines = kGranuleSize / core::kLineSize;

size_t inside_page(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % kGranuleSize;
}
char* page_of(void* pointer) { return static_cast<char*>(pointer) - inside_page(pointer); }

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

// A coloured block that does not start with its page.
char* off_page_block(size_t size) {
  std::vector<char*> blocks = sorted_blocks(2, size);
  const size_t chosen = inside_page(blocks[0]) != 0 ? 0 : 1;
  BOOST_REQUIRE(inside_page(blocks[chosen]) != 0U);
  free(blocks[1 - chosen]);
  return blocks[chosen];
}

// Of the block's class, which may be a larger one than the request's.
size_t class_size(const void* block) {
  const core::Arena& arena = heap.engine.arena();
  const ClassIndex index = arena.class_of(arena.granule_at(arena.offset(block)));
  return heap.engine.geometry().of(index).block_size;
}

std::string hex(const void* pointer) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", pointer);
  return text;
}

bool names(const Ending& ending, const std::string& what, const void* pointer) {
  return ending.message.starts_with("spillway: " + what + hex(pointer) + ", ");
}

// An aligned block that starts inside its slot.
char* block_inside_a_slot(std::vector<void*>& others) {
  for (int i = 0; i < 64; ++i) {
    void* block = nullptr;
    BOOST_REQUIRE(posix_memalign(&block, 64 * kKiB, 100 * kKiB) == 0);
    const core::Arena& arena = heap.engine.arena();
    const Granule granule = heap.engine.arena().granule_at(arena.offset(block));
    if (arena.state(granule).load() == core::SlotState::kLiveInside) {
      return static_cast<char*>(block);
    }
    others.push_back(block);
  }
  return nullptr;
}

BOOST_FIXTURE_TEST_SUITE(heap_colouring, HeapFixture)

BOOST_AUTO_TEST_CASE(neighbours_start_at_all_lines_of_a_page) {
  const std::vector<char*> blocks = sorted_blocks(3 * kLines, kBlock);
  size_t windows = 0;
  for (size_t i = 0; i + kLines <= blocks.size(); ++i) {
    const auto pages = page_of(blocks[i + kLines - 1]) - page_of(blocks[i]);
    if (static_cast<size_t>(pages) != (kLines - 1) * (kBlock + kGranuleSize)) {
      continue;  // a slot between them belongs to somebody else
    }
    std::set<size_t> lines;
    for (size_t j = i; j < i + kLines; ++j) {
      lines.insert(inside_page(blocks[j]) / core::kLineSize);
    }
    BOOST_TEST(lines.size() == kLines);
    ++windows;
  }
  BOOST_TEST(windows > 0U);
  free_all(blocks);
}

BOOST_AUTO_TEST_CASE(blocks_are_coloured_from_32_kib_on) {
  for (const size_t size : {size_t{4096}, size_t{12288}, size_t{28672}}) {
    const std::vector<char*> blocks = sorted_blocks(20, size);
    BOOST_TEST(std::all_of(blocks.begin(), blocks.end(),
                           [](const char* block) { return inside_page(block) == 0; }));
    free_all(blocks);
  }
  for (const size_t size : {size_t{28673}, size_t{32768}, size_t{100000}, kMiB}) {
    const std::vector<char*> blocks = sorted_blocks(20, size);
    std::set<size_t> starts;
    for (const char* block : blocks) {
      BOOST_TEST(is_aligned(block, core::kLineSize));
      starts.insert(inside_page(block));
    }
    BOOST_TEST(starts.size() >= 10U);
    free_all(blocks);
  }
}

BOOST_AUTO_TEST_CASE(all_of_a_coloured_block_may_be_used) {
  const std::vector<char*> blocks = sorted_blocks(kLines + 1, 40 * kKiB);
  for (unsigned i = 0; i < blocks.size(); ++i) {
    BOOST_TEST(usable_size(blocks[i]) == class_size(blocks[i]));
    fill(blocks[i], class_size(blocks[i]), i);
  }
  for (unsigned i = 0; i < blocks.size(); ++i) {
    BOOST_REQUIRE(is_filled(blocks[i], class_size(blocks[i]), i));
  }
  free_all(blocks);
}

BOOST_AUTO_TEST_CASE(a_coloured_block_is_freed_by_its_own_address_only) {
  char* block = off_page_block(kBlock);
  for (size_t line = 0; line < kLines; ++line) {
    char* other = page_of(block) + line * core::kLineSize;
    if (other == block) {
      continue;
    }
    BOOST_TEST(usable_size(other) == 0U);
    if (line % 8 == 0 || std::abs(other - block) == static_cast<ptrdiff_t>(core::kLineSize)) {
      const Ending ending = run_in_child([other] { free(other); });
      BOOST_TEST(ending.was_killed_by(SIGABRT));
      BOOST_TEST(names(ending, "invalid free of ", other));
    }
  }
  BOOST_TEST(usable_size(block + 1) == 0U);
  BOOST_TEST(usable_size(block + kGranuleSize) == 0U);
  BOOST_TEST(usable_size(block) == class_size(block));
  free(block);
}

BOOST_AUTO_TEST_CASE(a_pointer_into_a_coloured_block_is_told_from_its_start) {
  char* block = off_page_block(kBlock);
  for (const size_t inside : {size_t{1}, size_t{64}, kGranuleSize, kBlock - 1}) {
    const Ending ending = run_in_child([&] { free(block + inside); });
    BOOST_TEST(ending.was_killed_by(SIGABRT));
    BOOST_TEST(ending.message == "spillway: invalid free of " + hex(block + inside) + ", " +
                                     std::to_string(inside) + " bytes inside a block of the " +
                                     std::to_string(class_size(block)) + "-byte class\n");
  }
  free(block);
}

BOOST_AUTO_TEST_CASE(a_double_free_of_a_coloured_block_is_named) {
  char* block = off_page_block(kBlock);
  const Ending ending = run_in_child([&] {
    free(block);
    heap.engine.flush(anchor);
    free(block);
  });
  BOOST_TEST(ending.was_killed_by(SIGABRT));
  BOOST_TEST(names(ending, "double free of ", block));
  free(block);
}

BOOST_AUTO_TEST_CASE(page_aligned_requests_get_whole_pages_of_coloured_slots) {
  std::vector<void*> blocks;
  for (unsigned i = 0; i < 20; ++i) {
    void* block = nullptr;
    BOOST_REQUIRE(posix_memalign(&block, kGranuleSize, kBlock) == 0);
    BOOST_TEST(is_pooled(block));
    BOOST_TEST(is_aligned(block, kGranuleSize));
    BOOST_TEST(usable_size(block) == class_size(block));
    fill(block, kBlock, i);
    blocks.push_back(block);
  }
  for (unsigned i = 0; i < blocks.size(); ++i) {
    BOOST_REQUIRE(is_filled(blocks[i], kBlock, i));
    free(blocks[i]);
  }
  BOOST_TEST(run_in_child([&] { free(blocks.back()); }).was_killed_by(SIGABRT));
}

BOOST_AUTO_TEST_CASE(a_slot_has_its_colour_again_when_it_comes_from_the_freelist) {
  std::vector<void*> aligned(2);
  std::set<void*> coloured;
  for (void*& block : aligned) {
    BOOST_REQUIRE(posix_memalign(&block, kGranuleSize, kBlock) == 0);
    const size_t offset = heap.engine.arena().offset(block);
    coloured.insert(heap.engine.block_of(heap.engine.arena().granule_at(offset)));
  }
  BOOST_TEST((coloured != std::set<void*>(aligned.begin(), aligned.end())));
  for (void* block : aligned) {
    free(block);
  }
  heap.engine.flush(anchor);
  const std::vector<char*> blocks = sorted_blocks(500, kBlock);
  for (void* block : coloured) {
    BOOST_TEST((std::find(blocks.begin(), blocks.end(), block) != blocks.end()));
  }
  free_all(blocks);
}

BOOST_AUTO_TEST_CASE(large_alignments_hold_for_coloured_sizes_and_blocks_can_be_used_and_moved) {
  for (size_t alignment = 8 * kKiB; alignment <= 512 * kKiB; alignment *= 2) {
    for (const size_t size : {size_t{32768}, size_t{32769}, size_t{50000}, size_t{131072},
                              size_t{300000}, size_t{524288}, size_t{921600}}) {
      void* block = nullptr;
      BOOST_REQUIRE(posix_memalign(&block, alignment, size) == 0);
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

BOOST_AUTO_TEST_CASE(aligned_blocks_that_fit_the_largest_class_come_from_the_pool) {
  for (const size_t alignment : {8 * kKiB, 64 * kKiB, 512 * kKiB}) {
    void* block = allocate_aligned(alignment, kMiB - alignment);
    BOOST_TEST(is_pooled(block));
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(a_block_inside_its_slot_is_freed_once_and_by_its_own_address) {
  std::vector<void*> others;
  char* block = block_inside_a_slot(others);
  BOOST_REQUIRE(block != nullptr);
  const Granule granule = heap.engine.arena().granule_at(heap.engine.arena().offset(block));
  char* slot = static_cast<char*>(heap.engine.arena().address(heap.engine.slot_start(granule)));
  BOOST_TEST(usable_size(slot) == 0U);
  BOOST_TEST(usable_size(heap.engine.block_of(granule)) == 0U);
  for (char* wrong : {slot, block + 64, block + kGranuleSize, block - kGranuleSize}) {
    BOOST_TEST(run_in_child([wrong] { free(wrong); }).was_killed_by(SIGABRT));
  }
  const Ending again = run_in_child([block] {
    free(block);
    free(block);
  });
  BOOST_TEST(again.was_killed_by(SIGABRT));
  BOOST_TEST((again.message.find(" free of " + hex(block) + ", ") != std::string::npos));
  const uint64_t live = snapshot().pool_live_bytes;
  const size_t block_size =
      heap.engine.geometry().of(heap.engine.arena().class_of(granule)).block_size;
  free(block);
  BOOST_TEST(snapshot().pool_live_bytes == live - block_size);
  for (void* other : others) {
    free(other);
  }
}

BOOST_AUTO_TEST_CASE(a_zeroed_block_is_zero_where_one_inside_a_slot_was) {
  std::vector<void*> others;
  char* block = block_inside_a_slot(others);
  BOOST_REQUIRE(block != nullptr);
  const Granule granule = heap.engine.arena().granule_at(heap.engine.arena().offset(block));
  const size_t size = heap.engine.geometry().of(heap.engine.arena().class_of(granule)).block_size;
  fill(block, usable_size(block), 5);
  free(block);
  std::vector<void*> zeroed;
  bool met = false;
  for (int i = 0; i < 64 && !met; ++i) {
    zeroed.push_back(allocate_zeroed(size));
    BOOST_REQUIRE(is_zero(zeroed.back(), size));
    auto* start = static_cast<char*>(zeroed.back());
    met = block >= start && block < start + size;
  }
  BOOST_TEST(met);
  for (void* other : others) {
    free(other);
  }
  for (void* other : zeroed) {
    free(other);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
