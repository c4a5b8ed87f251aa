// SPDX-License-Identifier: MIT
// Misuse kills with one line that names address and class, whatever the block's size. The other
// answers of the option on_misuse are in test/misuse, whose programs start with it set.
#include "alloc/heap/misuse.h"

#include <string>
#include <thread>
#include <vector>

#include "test/child.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using spillway::testing::Ending;
using spillway::testing::run_in_child;

std::string hex(const void* pointer) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", pointer);
  return text;
}

struct Block {
  char* start;
  std::string class_name;

  std::string address() const { return hex(start); }
};

// Of the smallest and the largest class, coloured and not, and large ones; plain and watched.
struct BlockFixture : HeapFixture {
  BlockFixture() {
    add_blocks();
    const Watching watching;
    add_blocks();
    BOOST_REQUIRE(is_watched(blocks.back().start));
  }
  void add_blocks() {
    for (const size_t size :
         {4 * kKiB, size_t{20000}, 64 * kKiB, 300 * kKiB, kMiB, kMiB + 1, 6 * kMiB, 40 * kMiB}) {
      const bool large = size > config::kMaxPooledSize;
      blocks.push_back(
          {.start = static_cast<char*>(allocate(size)),
           .class_name = large ? "class of large blocks"
                               : std::to_string(config::kHeapClassSizes[raw(class_of(size))]) +
                                     "-byte class"});
      BOOST_REQUIRE(is_pooled(blocks.back().start));
    }
  }
  ~BlockFixture() {
    for (const Block& block : blocks) {
      free(block.start);
    }
  }
  template <typename Work>
  void dies_saying(const std::string& message, Work work) const {
    const Ending ending = run_in_child(work);
    BOOST_TEST(ending.was_killed_by(SIGABRT));
    BOOST_TEST(ending.message == "spillway: " + message + "\n");
  }
  std::vector<Block> blocks;
};

BOOST_FIXTURE_TEST_SUITE(heap_misuse, BlockFixture)

BOOST_AUTO_TEST_CASE(a_double_free) {
  for (const Block& block : blocks) {
    dies_saying("double free of " + block.address() + ", a block of the " + block.class_name, [&] {
      free(block.start);
      free(block.start);
    });
  }
}

BOOST_AUTO_TEST_CASE(a_double_free_by_another_thread) {
  for (const Block& block : blocks) {
    dies_saying("double free of " + block.address() + ", a block of the " + block.class_name, [&] {
      free(block.start);
      std::thread([&] { free(block.start); }).join();
    });
  }
}

BOOST_AUTO_TEST_CASE(a_double_free_after_the_block_went_to_the_page_heap) {
  for (const Block& block : blocks) {
    dies_saying("double free of " + block.address() + ", a block of the " + block.class_name, [&] {
      free(block.start);
      heap.engine.flush(thread_state);
      free(block.start);
    });
  }
}

BOOST_AUTO_TEST_CASE(a_double_free_with_a_size) {
  for (const Block& block : blocks) {
    dies_saying("double free of " + block.address() + ", a block of the " + block.class_name, [&] {
      free(block.start);
      free_sized(block.start, 4096);
    });
  }
}

BOOST_AUTO_TEST_CASE(two_threads_frees_at_the_same_moment) {
  for (const Block& block : blocks) {
    dies_saying("double free of " + block.address() + ", a block of the " + block.class_name,
                [&] { report_late_double_free(nullptr, block.start); });
  }
}

BOOST_AUTO_TEST_CASE(a_pointer_into_a_block) {
  for (const Block& block : blocks) {
    const size_t usable = usable_size(block.start);
    for (const size_t inside :
         {size_t{1}, size_t{16}, size_t{64}, size_t{512}, usable / 2, usable - 64, usable - 1}) {
      dies_saying("invalid free of " + hex(block.start + inside) + ", " + std::to_string(inside) +
                      " bytes inside a block of the " + block.class_name,
                  [&] { free(block.start + inside); });
    }
  }
}

BOOST_AUTO_TEST_CASE(a_pointer_to_the_pages_behind_a_large_blocks_first) {
  char* const block = blocks.back().start;
  for (size_t page = 1; page < 8; ++page) {
    const size_t inside = page * kGranuleSize;
    dies_saying("invalid free of " + hex(block + inside) + ", " + std::to_string(inside) +
                    " bytes inside a block of the class of large blocks",
                [&] { free(block + inside); });
    BOOST_TEST(run_in_child([&] {
                 free(block);
                 free(block + inside);
               }).was_killed_by(SIGABRT));
  }
}

BOOST_AUTO_TEST_CASE(a_pointer_in_front_of_a_block) {
  std::vector<char*> others;
  char* block = nullptr;
  for (int i = 0; i < 64 && block == nullptr; ++i) {
    others.push_back(static_cast<char*>(allocate(100000)));
    block = is_aligned(others.back(), core::kGrainSize) ? nullptr : others.back();
  }
  BOOST_REQUIRE(block != nullptr);
  dies_saying("invalid free of " + hex(block - 1) +
                  ", before the start of a block of the 106496-byte class",
              [&] { free(block - 1); });
  for (char* other : others) {
    free(other);
  }
}

BOOST_AUTO_TEST_CASE(a_pointer_that_no_block_can_start_at_where_one_was_freed) {
  for (const Block& block : blocks) {
    dies_saying("invalid free of " + hex(block.start + 1) + ", in no block of the pool", [&] {
      free(block.start);
      heap.engine.flush(thread_state);
      free(block.start + 1);
    });
  }
}

BOOST_AUTO_TEST_CASE(a_pointer_to_what_was_never_allocated) {
  const core::PageHeap& store = heap.engine.store();
  const core::HeapArena& arena = heap.engine.arena();
  for (const size_t offset : {store.size_bytes(), store.size_bytes() + 5 * core::kChunkSize,
                              arena.bytes() - kMiB, arena.bytes() - 1}) {
    void* untouched = arena.at(offset);
    dies_saying("invalid free of " + hex(untouched) + ", never allocated",
                [&] { free(untouched); });
  }
}

BOOST_AUTO_TEST_CASE(a_reallocation_of_a_freed_block) {
  for (const Block& block : blocks) {
    dies_saying(
        "realloc of a freed block: " + block.address() + ", a block of the " + block.class_name,
        [&] {
          free(block.start);
          reallocate(block.start, 20001);
        });
  }
}

BOOST_AUTO_TEST_CASE(a_reallocation_of_a_pointer_into_a_block) {
  for (const Block& block : blocks) {
    dies_saying("invalid realloc of " + hex(block.start + 64) +
                    ", 64 bytes inside a block of the " + block.class_name,
                [&] { reallocate(block.start + 64, 100); });
  }
}

void misuse_growing(const BlockFixture& f) {
  char* const growing = static_cast<char*>(take_growing(2 * kMiB));
  BOOST_REQUIRE(heap.engine.store().is_wide(growing));
  const std::string name = "class of large blocks";
  f.dies_saying("double free of " + hex(growing) + ", a block of the " + name, [&] {
    free(growing);
    free(growing);
  });
  f.dies_saying("realloc of a freed block: " + hex(growing) + ", a block of the " + name, [&] {
    free(growing);
    reallocate(growing, 3 * kMiB);
  });
  for (const size_t inside : {size_t{1}, size_t{64}, kMiB}) {
    f.dies_saying("invalid free of " + hex(growing + inside) + ", " + std::to_string(inside) +
                      " bytes inside a block of the " + name,
                  [&] { free(growing + inside); });
  }
  f.dies_saying(
      "invalid free of " + hex(growing - 64) + ", before the start of a block of the " + name,
      [&] { free(growing - 64); });
  free(growing);
}

BOOST_AUTO_TEST_CASE(misuse_of_a_growing_block) { misuse_growing(*this); }

BOOST_AUTO_TEST_CASE(misuse_of_a_growing_block_that_is_watched) {
  const Watching watching;
  misuse_growing(*this);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
