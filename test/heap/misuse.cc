// Misuse kills with one line that names address and class. The other answers of the option
// on_misuse are in test/misuse, whose programs start with it set.
#include "alloc/heap/misuse.h"

#include <string>
#include <thread>

#include "test/heap/child.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kSize = 20000;  // of the 20480-byte class

std::string hex(const void* pointer) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", pointer);
  return text;
}

void dies_saying(const std::string& message, const Ending& ending) {
  BOOST_TEST(ending.was_killed_by(SIGABRT));
  BOOST_TEST(ending.message == "spillway: " + message + "20480-byte class\n");
}

struct BlockFixture : HeapFixture {
  ~BlockFixture() { free(block); }
  char* block = static_cast<char*>(allocate(kSize));
};

BOOST_FIXTURE_TEST_SUITE(heap_misuse, BlockFixture)

BOOST_AUTO_TEST_CASE(a_double_free) {
  dies_saying("double free of " + hex(block) + ", a block of the ", run_in_child([&] {
                free(block);
                free(block);
              }));
}

BOOST_AUTO_TEST_CASE(a_double_free_by_another_thread) {
  dies_saying("double free of " + hex(block) + ", a block of the ", run_in_child([&] {
                free(block);
                std::thread([&] { free(block); }).join();
              }));
}

BOOST_AUTO_TEST_CASE(a_double_free_after_the_block_went_to_the_freelist) {
  dies_saying("double free of " + hex(block) + ", a block of the ", run_in_child([&] {
                free(block);
                heap.engine.flush(anchor);
                free(block);
              }));
}

BOOST_AUTO_TEST_CASE(a_double_free_with_a_size) {
  dies_saying("double free of " + hex(block) + ", a block of the ", run_in_child([&] {
                free(block);
                free_sized(block, kSize);
              }));
}

BOOST_AUTO_TEST_CASE(two_threads_frees_at_the_same_moment) {
  dies_saying("double free of " + hex(block) + ", a block of the ",
              run_in_child([&] { report_late_double_free(nullptr, block); }));
}

BOOST_AUTO_TEST_CASE(a_pointer_into_a_block) {
  for (const size_t inside : {size_t{1}, size_t{16}, kGranuleSize, size_t{20479}}) {
    dies_saying("invalid free of " + hex(block + inside) + ", " + std::to_string(inside) +
                    " bytes inside a block of the ",
                run_in_child([&] { free(block + inside); }));
  }
}

BOOST_AUTO_TEST_CASE(a_pointer_to_what_was_never_allocated) {
  const ClassIndex index = class_of(kSize);
  const auto& one = heap.engine.geometry().of(index);
  const core::Arena& arena = heap.engine.arena();
  const Granule last{raw(arena.first_granule(index)) + (one.slots - 1) * one.stride_granules};
  void* untouched = arena.address(last);
  dies_saying("invalid free of " + hex(untouched) + ", never allocated, in the ",
              run_in_child([&] { free(untouched); }));
}

BOOST_AUTO_TEST_CASE(a_reallocation_of_a_freed_block) {
  dies_saying("realloc of a freed block: " + hex(block) + ", a block of the ", run_in_child([&] {
                free(block);
                reallocate(block, kSize + 1);
              }));
}

BOOST_AUTO_TEST_CASE(a_reallocation_of_a_pointer_into_a_block) {
  dies_saying("invalid realloc of " + hex(block + 64) + ", 64 bytes inside a block of the ",
              run_in_child([&] { reallocate(block + 64, 100); }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
