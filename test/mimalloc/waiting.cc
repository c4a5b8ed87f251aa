// SPDX-License-Identifier: MIT
// Memory that the thread freed and mimalloc would return at some later call.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#include "alloc/mimalloc/calls.h"
#include "alloc/mimalloc/fork_gate.h"
#include "test/resident.h"

#if SPILLWAY_MIMALLOC_EXTENDED

namespace mimalloc = spillway::mimalloc;

namespace {

using spillway::testing::resident_share;

constexpr size_t kSize = 1024;
constexpr size_t kBlocks = 16 * 1024;
constexpr size_t kPageOfItsOwn = 1024 * 1024;  // its end frees a span

// Addresses of blocks that were written and freed. One more stays live, and its segment with it,
// which mimalloc would put aside as a whole otherwise.
std::vector<void*> freed_blocks() {
  std::vector<void*> blocks(kBlocks);
  for (void*& block : blocks) {
    block = mimalloc::allocate(kSize);
    memset(block, 1, kSize);
  }
  static_cast<void>(mimalloc::allocate(kSize));
  for (void* block : blocks) {
    mimalloc::free(block);
  }
  return blocks;
}

void free_after_a_tick() {
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  mimalloc::free(mimalloc::allocate(kPageOfItsOwn));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mimalloc_waiting)

BOOST_AUTO_TEST_CASE(freed_memory_goes_back_at_once) {
  const std::vector<void*> blocks = freed_blocks();
  mimalloc::collect_waiting();
  BOOST_TEST(resident_share(blocks) < 0.1);
  // And can be had again.
  BOOST_TEST(freed_blocks().size() == kBlocks);
}

// By the calling thread, whatever it frees, and not by mimalloc's own time.
BOOST_AUTO_TEST_CASE(freed_memory_stays_as_long_as_it_is_to) {
  mimalloc::keep_free_memory_for(1'000'000'000);
  mimalloc::free(mimalloc::allocate(kPageOfItsOwn));  // waiting memory goes back
  const std::vector<void*> blocks = freed_blocks();
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  mimalloc::free(mimalloc::allocate(kPageOfItsOwn));
  BOOST_TEST(resident_share(blocks) > 0.5);
  mimalloc::keep_free_memory_for(50);  // twice in so long
  free_after_a_tick();                 // sees it for the first time
  BOOST_TEST(resident_share(blocks) > 0.5);
  free_after_a_tick();
  BOOST_TEST(resident_share(blocks) < 0.1);
}

BOOST_AUTO_TEST_CASE(memory_that_is_used_between_two_ticks_stays) {
  mimalloc::collect_waiting();
  mimalloc::keep_free_memory_for(50);
  for (int round = 0; round < 4; ++round) {
    const std::vector<void*> blocks = freed_blocks();
    free_after_a_tick();
    BOOST_TEST(resident_share(blocks) > 0.5);
  }
}

BOOST_AUTO_TEST_CASE(a_thread_s_end_returns_what_it_freed) {
  mimalloc::keep_free_memory_for(1'000'000'000);
  std::vector<void*> blocks;
  std::thread([&blocks] { blocks = freed_blocks(); }).join();
  BOOST_TEST(resident_share(blocks) < 0.1);
}

BOOST_AUTO_TEST_CASE(segments_that_are_free_as_a_whole_go_back_too) {
  std::vector<void*> blocks(128 * 1024);
  for (void*& block : blocks) {
    block = mimalloc::allocate(kSize);
    memset(block, 1, kSize);
  }
  for (void* block : blocks) {
    mimalloc::free(block);
  }
  mimalloc::collect_waiting();
  BOOST_TEST(resident_share(blocks) < 0.1);
}

BOOST_AUTO_TEST_CASE(inside_of_mimalloc_nothing_is_done) {
  mimalloc::collect_waiting();
  const std::vector<void*> blocks = freed_blocks();
  mimalloc::enter_gate();
  const double before = resident_share(blocks);
  BOOST_TEST(before > 0.5);
  mimalloc::collect_waiting();
  BOOST_TEST(resident_share(blocks) >= before);
  mimalloc::leave_gate();
}

BOOST_AUTO_TEST_CASE(a_closed_gate_keeps_a_thread_out_and_does_not_make_it_wait) {
  mimalloc::fork_prepare();
  bool entered = true;
  std::thread([&entered] { entered = mimalloc::enter_open_gate(); }).join();
  BOOST_TEST(!entered);
  mimalloc::fork_parent();
  BOOST_REQUIRE(mimalloc::enter_open_gate());
  BOOST_TEST(!mimalloc::enter_open_gate());  // inside
  mimalloc::leave_gate();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
