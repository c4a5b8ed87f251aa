// SPDX-License-Identifier: MIT
// The heap after its start: options and the map from sizes to classes.
#include "alloc/heap/start.h"
#include "alloc/heap/state.h"

#include <algorithm>

#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_FIXTURE_TEST_SUITE(heap_start, HeapFixture)

BOOST_AUTO_TEST_CASE(starting_again_changes_nothing) {
  const size_t reserved = heap.engine.arena().bytes();
  BOOST_TEST(ensure_started());
  BOOST_TEST(is_pooling());
  BOOST_TEST(heap.engine.arena().bytes() == reserved);
}

BOOST_AUTO_TEST_CASE(every_size_of_the_window_has_the_smallest_class_that_holds_it) {
  for (size_t size = config::kMinPooledSize; size <= config::kMaxPooledSize; size += 1024) {
    for (const size_t request : {size, size - 1, size + 1}) {
      if (!is_pooled_size(request)) {
        continue;
      }
      const ClassIndex index = class_of(request);
      BOOST_REQUIRE(index != kNoClass);
      BOOST_REQUIRE(config::kHeapClassSizes[raw(index)] >= request);
      BOOST_REQUIRE(config::kHeapClassSizes[raw(index) - 1U] < request);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_engine_has_the_heaps_classes) {
  const core::Geometry& geometry = heap.engine.geometry();
  BOOST_TEST(geometry.class_count == config::kHeapClassCount);
  for (uint32_t index = 1; index <= config::kHeapClassCount; ++index) {
    BOOST_TEST(geometry.classes[index].block_size == config::kHeapClassSizes[index]);
  }
}

BOOST_AUTO_TEST_CASE(blocks_are_of_the_smallest_class_that_holds_them) {
  const core::HeapArena& arena = heap.engine.arena();
  for (uint8_t index = 1; index <= config::kHeapClassCount; ++index) {
    for (const size_t size :
         {size_t{config::kHeapClassSizes[index]},
          std::max<size_t>(config::kHeapClassSizes[index - 1U] + 1, config::kMinPooledSize)}) {
      void* block = allocate(size);
      BOOST_TEST(raw(arena.entry_at(arena.offset(block)).class_index()) == index);
      BOOST_TEST(usable_size(block) == config::kHeapClassSizes[index]);
      free(block);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_completed_start_is_left_alone_after_a_fork) {
  recover_start_after_fork();
  BOOST_TEST(is_pooling());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap
