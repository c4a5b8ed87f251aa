// SPDX-License-Identifier: MIT
// What both kinds of arena have in common: who owns an address, and the end of growth.
#include "alloc/core/range.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "alloc/base/bits.h"
#include "alloc/core/heap_arena.h"
#include "test/os/fake_process.h"
#include "test/os/faulty_memory.h"
#include "test/wait.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

struct RangeFixture {
  RangeFixture() {
    faulty::reset();
    os::fake::reset();
    BOOST_REQUIRE(arena.reserve(16 * kMiB, 16 * kMiB));
  }
  ~RangeFixture() {
    arena.release();
    faulty::reset();
    os::fake::reset();
  }
  HeapArena arena;
  Range& range = arena;
};

BOOST_FIXTURE_TEST_SUITE(range, RangeFixture)

BOOST_AUTO_TEST_CASE(addresses_offsets_and_granules_are_of_one_place) {
  for (const size_t offset : {size_t{0}, size_t{4096}, 5 * kMiB}) {
    BOOST_TEST(range.offset(range.at(offset)) == offset);
    BOOST_TEST(range.address(range.granule_at(offset)) == range.at(offset));
    BOOST_TEST(raw(range.granule_at(offset + 4095)) == offset / 4096);
  }
}

BOOST_AUTO_TEST_CASE(a_released_range_owns_nothing) {
  void* const inside = range.at(kMiB);
  BOOST_TEST(range.owns(inside));
  arena.release();
  BOOST_TEST(!range.owns(inside));
  BOOST_TEST(range.bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(nothing_grows_once_it_is_sealed) {
  BOOST_TEST(Range::Growing(range).allowed());
  BOOST_TEST(!range.is_sealed());
  BOOST_TEST(range.seal());
  BOOST_TEST(range.is_sealed());
  BOOST_TEST(!Range::Growing(range).allowed());
  BOOST_TEST(!range.seal());  // it is already
}

BOOST_AUTO_TEST_CASE(sealing_waits_for_a_commit_that_is_under_way) {
  os::fake::stop_clock();  // a busy machine may take as long as it wants
  std::atomic<bool> growing{false};
  std::atomic<bool> done{false};
  std::thread grower([&] {
    const Range::Growing commit(range);
    growing = commit.allowed();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    done = true;
  });
  BOOST_TEST(spillway::testing::wait_until([&] { return growing.load(); }));
  BOOST_TEST(range.seal());
  BOOST_TEST(done);
  grower.join();
}

BOOST_AUTO_TEST_CASE(a_commit_that_does_not_end_prevents_it) {
  {
    const Range::Growing commit(range);
    BOOST_TEST(!range.seal());
    BOOST_TEST(!range.is_sealed());
  }
  BOOST_TEST(Range::Growing(range).allowed());
  BOOST_TEST(range.seal());
}

BOOST_AUTO_TEST_CASE(in_a_child_no_commit_is_under_way) {
  const Range::Growing lost(range);
  const Range::Growing lost_too(range);
  range.recover_after_fork();
  BOOST_TEST(range.seal());
  // Their ends do not come in a child; here they do.
  const Range::Growing one(range);
  range.recover_after_fork();
}

BOOST_AUTO_TEST_CASE(addresses_that_were_given_up_are_owned_still) {
  BOOST_REQUIRE(arena.commit(Granule{0}, 512));
  static_cast<char*>(range.at(0))[0] = 1;
  const uint64_t reserved = faulty::reserved_bytes();
  range.give_up(Granule{512}, Granule{2048});
  BOOST_TEST(faulty::reserved_bytes() == reserved - 1536 * kGranuleSize);
  BOOST_TEST(range.owns(range.at(8 * kMiB)));
  BOOST_TEST(static_cast<char*>(range.at(0))[0] == 1);
  faulty::reset();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
