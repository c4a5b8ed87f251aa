// SPDX-License-Identifier: MIT
#include "bench/memory/live_blocks.h"

#include <boost/test/unit_test.hpp>
#include <memory>

namespace bench {
namespace {

using Blocks = LiveBlocks<4>;

struct Fixture {
  ~Fixture() { live->remove_all(); }
  std::unique_ptr<Blocks> live{new Blocks{}};
};

BOOST_FIXTURE_TEST_SUITE(live_blocks, Fixture)

BOOST_AUTO_TEST_CASE(bytes_are_those_asked_for) {
  live->add(100);
  live->add(5000);
  BOOST_TEST(live->count == 2);
  BOOST_TEST(live->bytes == 5100);
  live->replace(0, 40);
  BOOST_TEST(live->count == 2);
  BOOST_TEST(live->bytes == 5040);
  BOOST_TEST(live->max_bytes == 5100);
}

BOOST_AUTO_TEST_CASE(a_block_is_written_to_its_end) {
  live->add(5000);
  const auto* const bytes = static_cast<const unsigned char*>(live->blocks[0]);
  BOOST_TEST(bytes[4999] == 1);
}

BOOST_AUTO_TEST_CASE(the_last_one_takes_the_place_of_one_removed) {
  live->add(10);
  live->add(20);
  live->add(30);
  void* const last = live->blocks[2];
  live->remove(0);
  BOOST_TEST(live->count == 2);
  BOOST_TEST(live->bytes == 50);
  BOOST_TEST(live->blocks[0] == last);
  BOOST_TEST(live->sizes[0] == 30);
  live->remove(1);
  BOOST_TEST(live->bytes == 30);
}

BOOST_AUTO_TEST_CASE(a_leaked_block_stays_counted) {
  live->add(10);
  void* const leaked = live->blocks[0];
  live->leak(0, 20);
  BOOST_TEST(live->count == 1);
  BOOST_TEST(live->bytes == 30);
  BOOST_TEST(live->blocks[0] != leaked);
  std::free(leaked);
}

BOOST_AUTO_TEST_CASE(filling_ends_at_the_limit_or_when_there_is_no_room) {
  live->fill(25, [] { return std::size_t{10}; });
  BOOST_TEST(live->bytes == 30);
  live->fill(1000, [] { return std::size_t{10}; });
  BOOST_TEST(live->full());
  BOOST_TEST(live->bytes == 40);
  live->remove_all();
  BOOST_TEST(live->bytes == 0);
  BOOST_TEST(live->count == 0);
  BOOST_TEST(live->max_bytes == 40);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace bench
