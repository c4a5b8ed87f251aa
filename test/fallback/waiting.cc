// Memory that the thread freed and mimalloc would return at some later call.
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#include "alloc/fallback/fallback.h"
#include "alloc/fallback/fork_gate.h"
#include "test/resident.h"

#if SPILLWAY_FALLBACK_EXTENDED

namespace fallback = spillway::fallback;

namespace {

using spillway::testing::resident_share;

constexpr size_t kSize = 1024;
constexpr size_t kBlocks = 16 * 1024;

// Addresses of blocks that were written and freed.
std::vector<void*> freed_blocks() {
  std::vector<void*> blocks(kBlocks);
  for (void*& block : blocks) {
    block = fallback::allocate(kSize);
    memset(block, 1, kSize);
  }
  for (void* block : blocks) {
    fallback::free(block);
  }
  return blocks;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fallback_waiting)

BOOST_AUTO_TEST_CASE(freed_memory_goes_back_at_once) {
  const std::vector<void*> blocks = freed_blocks();
  fallback::collect_waiting();
  BOOST_TEST(resident_share(blocks) < 0.1);
  // And can be had again.
  BOOST_TEST(freed_blocks().size() == kBlocks);
}

BOOST_AUTO_TEST_CASE(inside_of_mimalloc_nothing_is_done) {
  fallback::collect_waiting();
  const std::vector<void*> blocks = freed_blocks();
  fallback::enter_gate();
  const double before = resident_share(blocks);
  fallback::collect_waiting();
  BOOST_TEST(resident_share(blocks) >= before);
  fallback::leave_gate();
}

BOOST_AUTO_TEST_CASE(a_closed_gate_keeps_a_thread_out_and_does_not_make_it_wait) {
  BOOST_REQUIRE(fallback::close_gate());
  bool entered = true;
  std::thread([&entered] { entered = fallback::enter_open_gate(); }).join();
  BOOST_TEST(!entered);
  BOOST_TEST(fallback::gate_is_closed());
  fallback::open_gate();
  BOOST_REQUIRE(fallback::enter_open_gate());
  BOOST_TEST(!fallback::enter_open_gate());  // inside
  fallback::leave_gate();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
