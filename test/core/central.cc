#include "alloc/core/central.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "test/core/fixture.h"

namespace spillway::core {
namespace {

struct CentralFixture {
  CentralFixture() {
    os::faulty::reset();
    const uint32_t sizes[] = {4 * kKiB, 20 * kKiB};
    BOOST_REQUIRE(arena.reserve(2, 64 * kMiB, Arena::kSpanAlignment));
    geometry = make_geometry(sizes, arena.span_bytes());
    const ClassGeometry& one = geometry.of(ClassIndex{2});
    memory.resize(Freelist::bytes_needed(one.slots) / sizeof(uint64_t));
    central.attach(arena, ClassIndex{2}, one, size, memory.data());
  }
  ~CentralFixture() { arena.release(); }
  Arena arena;
  Geometry geometry;
  PoolSize size;
  std::vector<uint64_t> memory;
  Central central;
  uint32_t hint = 0;
  Central::Run run;
};

BOOST_FIXTURE_TEST_SUITE(central, CentralFixture)

BOOST_AUTO_TEST_CASE(blocks_are_a_stride_apart_from_the_span_on) {
  Granule blocks[4];
  BOOST_REQUIRE(central.take(hint, run, blocks, 4) == 4U);
  for (uint32_t i = 0; i < 4; ++i) {
    BOOST_TEST(raw(blocks[i]) == raw(arena.first_granule(ClassIndex{2})) + 5 * i);
  }
}

BOOST_AUTO_TEST_CASE(free_blocks_come_before_untouched_ones) {
  Granule blocks[4];
  BOOST_REQUIRE(central.take(hint, run, blocks, 4) == 4U);
  BOOST_TEST(raw(central.put(hint, blocks + 1, 2)) == raw(kNoGranule));
  Granule again[4];
  BOOST_TEST(central.take(hint, run, again, 4) == 2U);
  BOOST_TEST(raw(again[0]) == raw(blocks[1]));
  BOOST_TEST(central.take(hint, run, again, 1) == 1U);
  BOOST_TEST(raw(again[0]) == raw(blocks[3]) + 5U);
}

BOOST_AUTO_TEST_CASE(a_block_put_twice_is_named) {
  Granule block;
  BOOST_REQUIRE(central.take(hint, run, &block, 1) == 1U);
  BOOST_TEST(!central.is_free(block));
  BOOST_TEST(raw(central.put(hint, &block, 1)) == raw(kNoGranule));
  BOOST_TEST(central.is_free(block));
  BOOST_TEST(raw(central.put(hint, &block, 1)) == raw(block));
  BOOST_TEST(central.count_free() == 1U);
}

BOOST_AUTO_TEST_CASE(interior_granules_know_their_block) {
  const uint32_t first = raw(arena.first_granule(ClassIndex{2}));
  BOOST_TEST(raw(central.block_of(Granule{first + 4})) == first);
  BOOST_TEST(raw(central.block_of(Granule{first + 5})) == first + 5);
  BOOST_TEST(raw(central.block_of(Granule{first + 13})) == first + 10);
}

BOOST_AUTO_TEST_CASE(a_full_class_gives_nothing) {
  std::vector<Granule> blocks(Central::kMostBatch);
  uint32_t sum = 0;
  for (uint32_t count;
       (count = central.take(hint, run, blocks.data(), Central::kMostBatch)) != 0;) {
    sum += count;
  }
  BOOST_TEST(sum == geometry.of(ClassIndex{2}).slots);
}

BOOST_AUTO_TEST_CASE(threads_grow_in_runs_of_their_own) {
  Central::Run other;
  Granule mine[2];
  Granule theirs[2];
  BOOST_REQUIRE(central.take(hint, run, mine, 1) == 1U);
  BOOST_REQUIRE(central.take(hint, other, theirs, 1) == 1U);
  const uint32_t run_slots = geometry.of(ClassIndex{2}).run_slots;
  BOOST_TEST(raw(theirs[0]) == raw(mine[0]) + 5 * run_slots);
  central.put_run(hint, other);
  BOOST_TEST(central.count_free() == run_slots - 1);
  BOOST_TEST(other.left == 0U);
}

BOOST_AUTO_TEST_CASE(newcomers_start_at_different_words) {
  std::vector<Granule> blocks(Central::kMostBatch);
  while (central.grown() < 200) {
    central.take(hint, run, blocks.data(), 200);
  }
  BOOST_TEST(central.start_hint(0) != central.start_hint(1));
  BOOST_TEST(central.start_hint(1000) <= central.grown() / Freelist::kSlotsPerWord);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
