#include "alloc/core/central.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <set>
#include <vector>

#include "test/os/faulty_memory.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

constexpr ClassIndex kIndex{2};

struct CentralFixture {
  explicit CentralFixture(uint32_t block_size = 20 * kKiB, size_t coloured_from = SIZE_MAX) {
    faulty::reset();
    const uint32_t sizes[] = {4 * kKiB, block_size};
    BOOST_REQUIRE(arena.reserve(2, 64 * kMiB, Arena::kSpanAlignment));
    geometry = make_geometry(sizes, arena.class_bytes(), {.coloured_from = coloured_from});
    one = &geometry.of(kIndex);
    stride = size_t{one->stride_granules} * kGranuleSize;
    memory.resize(Central::bytes_needed(*one) / sizeof(uint64_t));
    central.attach(arena, kIndex, *one, size, memory.data());
  }
  ~CentralFixture() {
    arena.release();
    faulty::reset();
  }
  CentralFixture(const CentralFixture&) = delete;
  CentralFixture& operator=(const CentralFixture&) = delete;

  // As a thread's cache does.
  uint32_t take(Central::Client& taker, void** out, uint32_t wanted) {
    uint32_t count = central.take_private(taker, out, wanted);
    const bool apart = count == 0 && central.rather_apart(taker);
    if (count == 0 && !apart) {
      count = central.take_used(taker, out, wanted);
    }
    count = count != 0 ? count : central.take_fresh(taker, out, wanted, apart);
    return count != 0 ? count : central.take_used(taker, out, wanted);
  }
  // `count` blocks, each full of a byte that is not zero, marked live.
  std::vector<void*> take_dirty(uint32_t count) {
    std::vector<void*> blocks(count);
    for (uint32_t got = 0; got < count;) {
      const uint32_t more =
          take(client, blocks.data() + got, std::min<uint32_t>(count - got, Central::kMostBatch));
      BOOST_REQUIRE(more != 0U);
      got += more;
    }
    for (void* block : blocks) {
      std::memset(block, 0x5a, one->block_size);
      state(block).store(live_state(inside_granule(arena.offset(block))));
    }
    return blocks;
  }
  void put(const std::vector<void*>& blocks) {
    for (void* block : blocks) {
      state(block).store(SlotState::kFree);
      BOOST_REQUIRE(central.put(client, &block, 1) == nullptr);
    }
  }
  void put_cool(const std::vector<void*>& blocks) {
    put(blocks);
    central.cool();
  }
  uint64_t purge(uint64_t most_bytes) { return central.purge(cursor, most_bytes, refused); }
  uint64_t purge_all() {
    uint64_t sum = 0;
    for (uint64_t bytes; (bytes = purge(kGiB)) != 0;) {
      sum += bytes;
    }
    return sum;
  }
  StateByte& state(const void* block) const { return arena.state_at(arena.offset(block)); }
  bool is_filled_with(const void* block, char value) const {
    const auto* bytes = static_cast<const char*>(block);
    return std::all_of(bytes, bytes + one->block_size,
                       [value](char byte) { return byte == value; });
  }
  Granule granule_of(const void* block) const { return arena.granule_at(arena.offset(block)); }
  uint32_t line_of(const void* block) const {
    return (raw(granule_of(block)) - raw(arena.first_granule(kIndex))) / 64;
  }

  Arena arena;
  Geometry geometry;
  const ClassGeometry* one = nullptr;
  size_t stride = 0;
  PoolSize size;
  std::vector<uint64_t> memory;
  Central central;
  Central::Client client;
  uint32_t cursor = 0;
  bool refused = false;
};

struct Coloured : CentralFixture {
  Coloured() : CentralFixture(32 * kKiB, 32 * kKiB) {}
};

size_t distance(const void* from, const void* to) {
  return reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from);
}

// State bytes of 20 KiB blocks: 13 start in the first line.
constexpr uint32_t kFirstGroup = 13;

BOOST_FIXTURE_TEST_SUITE(central, CentralFixture)

BOOST_AUTO_TEST_CASE(blocks_are_a_stride_apart_from_the_span_on) {
  void* blocks[4];
  BOOST_REQUIRE(take(client, blocks, 4) == 4U);
  for (uint32_t i = 0; i < 4; ++i) {
    BOOST_TEST(distance(arena.address(arena.first_granule(kIndex)), blocks[i]) == i * stride);
  }
}

BOOST_FIXTURE_TEST_CASE(coloured_blocks_start_at_the_line_of_their_slot, Coloured) {
  BOOST_TEST(stride == 36 * kKiB);
  const std::vector<void*> blocks = take_dirty(130);
  const void* start = arena.address(arena.first_granule(kIndex));
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    BOOST_TEST(distance(start, blocks[i]) == i * stride + one->colour(SlotIndex{i}));
  }
  for (const void* block : blocks) {
    BOOST_REQUIRE(is_filled_with(block, 0x5a));
  }
  put(blocks);
  BOOST_TEST(central.count_warm() == 130U);
  void* again[2];
  client.hint = 0;
  BOOST_REQUIRE(take(client, again, 2) == 2U);
  BOOST_TEST(again[1] == blocks[1]);
}

BOOST_AUTO_TEST_CASE(free_blocks_come_before_untouched_ones) {
  void* blocks[4];
  BOOST_REQUIRE(take(client, blocks, 4) == 4U);
  BOOST_TEST(central.put(client, blocks + 1, 2) == nullptr);
  void* again[4];
  BOOST_TEST(take(client, again, 4) == 2U);
  BOOST_TEST(again[0] == blocks[1]);
  BOOST_TEST(take(client, again, 1) == 1U);
  BOOST_TEST(distance(blocks[3], again[0]) == stride);
}

BOOST_AUTO_TEST_CASE(a_block_put_twice_is_named) {
  void* block = nullptr;
  BOOST_REQUIRE(take(client, &block, 1) == 1U);
  BOOST_TEST(!central.is_free(block));
  BOOST_TEST(central.put(client, &block, 1) == nullptr);
  BOOST_TEST(central.is_free(block));
  BOOST_TEST(central.put(client, &block, 1) == block);
  BOOST_TEST(central.count_free() == 1U);
}

BOOST_AUTO_TEST_CASE(interior_granules_know_their_slot) {
  const uint32_t first = raw(arena.first_granule(kIndex));
  BOOST_TEST(raw(central.slot_of(Granule{first + 4})) == 0U);
  BOOST_TEST(raw(central.slot_of(Granule{first + 5})) == 1U);
  BOOST_TEST(raw(central.slot_of(Granule{first + 13})) == 2U);
  BOOST_TEST(raw(central.granule_of(SlotIndex{2})) == first + 10);
  BOOST_TEST(central.block_of(SlotIndex{2}) == arena.address(Granule{first + 10}));
}

BOOST_AUTO_TEST_CASE(a_full_class_gives_nothing) {
  std::vector<void*> blocks(Central::kMostBatch);
  uint32_t sum = 0;
  for (uint32_t count; (count = take(client, blocks.data(), Central::kMostBatch)) != 0;) {
    sum += count;
  }
  BOOST_TEST(sum == one->slots);
}

BOOST_AUTO_TEST_CASE(threads_grow_in_groups_of_their_own) {
  Central::Client other;
  void* mine = nullptr;
  void* theirs = nullptr;
  BOOST_REQUIRE(take(client, &mine, 1) == 1U);
  BOOST_REQUIRE(take(other, &theirs, 1) == 1U);
  BOOST_TEST(distance(mine, theirs) == kFirstGroup * stride);
  BOOST_TEST(line_of(mine) != line_of(theirs));
  const uint32_t left = other.run.left;
  BOOST_TEST(left > 0U);
  central.put_run(other);
  BOOST_TEST(central.count_clean() == left);
  BOOST_TEST(central.count_free() == left);
  BOOST_TEST(other.run.left == 0U);
}

BOOST_AUTO_TEST_CASE(newcomers_start_at_different_words) {
  take_dirty(200);
  BOOST_TEST(central.start_hint(0) != central.start_hint(1));
  BOOST_TEST(central.start_hint(1000) <= central.grown() / Freelist::kSlotsPerWord);
}

BOOST_AUTO_TEST_CASE(two_clients_share_no_line_while_there_are_full_groups) {
  put(take_dirty(4 * 64));
  Central::Client clients[2];
  std::vector<void*> held[2];
  for (uint32_t round = 0; round < 15; ++round) {
    for (uint32_t who = 0; who < 2; ++who) {
      clients[who].holder = static_cast<Holder>(who + 1);
      void* out[5];
      BOOST_REQUIRE(take(clients[who], out, 5) == 5U);
      BOOST_REQUIRE(central.put(clients[who], out, 2) == nullptr);
      held[who].insert(held[who].end(), out + 2, out + 5);
    }
    std::set<uint32_t> lines;
    for (const void* block : held[0]) {
      lines.insert(line_of(block));
    }
    for (const void* block : held[1]) {
      BOOST_REQUIRE(lines.count(line_of(block)) == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(clients_that_keep_apart_grow_rather_than_meet_within_bounds) {
  void* out[Central::kMostBatch];
  Central::Client first;
  first.holder = 1;
  const uint32_t got = take(first, out, kFirstGroup);
  BOOST_REQUIRE(got == kFirstGroup);
  BOOST_REQUIRE(central.put(first, out, got - 1) == nullptr);  // its line, but for one slot
  Central::Client second;
  second.holder = 2;
  void* theirs = nullptr;
  BOOST_REQUIRE(take(second, &theirs, 1) == 1U);
  BOOST_TEST(line_of(theirs) == 0U);  // no need to keep apart
  Central::Client apart;
  apart.holder = 3;
  apart.keeps_apart = true;
  uint32_t untouched = 0;
  for (uint32_t i = 0; i < 2000; ++i) {
    void* block = nullptr;
    BOOST_REQUIRE(take(apart, &block, 1) == 1U);
    if (line_of(block) == 0) {
      break;
    }
    ++untouched;
  }
  BOOST_TEST(untouched >= kFirstGroup);
  BOOST_TEST(untouched <= 8 * kFirstGroup);
}

BOOST_AUTO_TEST_CASE(what_stays_free_for_an_interval_is_cool) {
  const std::vector<void*> blocks = take_dirty(100);
  put({blocks.begin(), blocks.begin() + 60});
  BOOST_TEST(central.count_warm() == 60U);
  BOOST_TEST(purge(kGiB) == 0U);
  central.cool();
  BOOST_TEST(central.count_warm() == 0U);
  BOOST_TEST(central.count_cool() == 60U);
  put({blocks.begin() + 60, blocks.end()});
  BOOST_TEST(central.count_warm() == 40U);
  BOOST_TEST(central.count_free() == 100U);
  for (const void* block : blocks) {
    BOOST_REQUIRE(central.is_free(block));
  }
}

BOOST_AUTO_TEST_CASE(purged_blocks_are_clean_and_zero_and_usable) {
  const std::vector<void*> blocks = take_dirty(100);
  put_cool(blocks);
  const uint32_t untouched = central.count_clean();
  BOOST_TEST(purge_all() == 100 * stride);
  BOOST_TEST(!refused);
  BOOST_TEST(central.count_cool() == 0U);
  BOOST_TEST(central.count_clean() == untouched + 100);
  for (const void* block : blocks) {
    BOOST_REQUIRE((state(block).load() == SlotState::kClean));
    BOOST_REQUIRE(is_filled_with(block, 0));
    BOOST_REQUIRE(central.is_free(block));
  }
  const std::vector<void*> again = take_dirty(100);
  BOOST_TEST((std::set<void*>(again.begin(), again.end()) ==
              std::set<void*>(blocks.begin(), blocks.end())));
  put_cool(again);
  BOOST_TEST(purge_all() == 100 * stride);
}

BOOST_FIXTURE_TEST_CASE(purged_coloured_blocks_are_clean_and_zero, Coloured) {
  const std::vector<void*> blocks = take_dirty(130);
  put_cool({blocks.begin(), blocks.begin() + 64});
  put_cool({blocks.begin() + 65, blocks.end()});
  BOOST_TEST(purge_all() == 129 * size_t{one->block_size});
  for (const void* block : blocks) {
    const bool live = block == blocks[64];
    BOOST_REQUIRE((state(block).load() ==
                   (live ? live_state(one->colour(SlotIndex{64})) : SlotState::kClean)));
    BOOST_REQUIRE(is_filled_with(block, live ? 0x5a : 0));
  }
}

BOOST_AUTO_TEST_CASE(purging_leaves_live_and_warm_blocks_alone) {
  const std::vector<void*> blocks = take_dirty(300);
  std::vector<void*> live;
  std::vector<void*> warm;
  std::vector<void*> cool;
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    (i % 3 == 0 ? live : i % 7 == 0 ? warm : cool).push_back(blocks[i]);
  }
  put_cool(cool);
  put(warm);
  BOOST_TEST(purge_all() == cool.size() * stride);
  for (const void* block : live) {
    BOOST_REQUIRE(is_filled_with(block, 0x5a));
    BOOST_REQUIRE((state(block).load() == live_state(0)));
    BOOST_REQUIRE(!central.is_free(block));
  }
  for (const void* block : warm) {
    BOOST_REQUIRE(is_filled_with(block, 0x5a));
    BOOST_REQUIRE((state(block).load() == SlotState::kFree));
  }
  BOOST_TEST(central.count_warm() == warm.size());
}

BOOST_AUTO_TEST_CASE(take_prefers_warm_to_cool_to_clean_to_untouched) {
  std::vector<void*> blocks = take_dirty(3);
  put_cool({blocks[0]});
  purge_all();
  put_cool({blocks[1]});
  put({blocks[2]});
  for (uint32_t expected : {2U, 1U, 0U}) {
    void* block = nullptr;
    BOOST_REQUIRE(take(client, &block, 1) == 1U);
    BOOST_TEST(block == blocks[expected]);
  }
  void* fresh = nullptr;
  BOOST_REQUIRE(take(client, &fresh, 1) == 1U);
  BOOST_TEST(distance(blocks[2], fresh) == stride);
}

BOOST_AUTO_TEST_CASE(a_step_is_bounded_in_bytes_and_goes_on_where_it_ended) {
  put_cool(take_dirty(150));
  uint64_t sum = 0;
  uint32_t steps = 0;
  for (uint64_t bytes; (bytes = purge(3 * stride + 1)) != 0; ++steps) {
    BOOST_TEST(bytes <= 3 * stride);
    sum += bytes;
  }
  BOOST_TEST(sum == 150 * stride);
  BOOST_TEST(steps >= 50U);
  BOOST_TEST(steps <= 53U);  // a shorter one at the end of each word
  BOOST_TEST(cursor == 0U);
}

BOOST_AUTO_TEST_CASE(a_step_is_at_least_one_slot) {
  put_cool(take_dirty(2));
  BOOST_TEST(purge(1) == stride);
  BOOST_TEST(purge(0) == stride);
  BOOST_TEST(purge(1) == 0U);
}

BOOST_AUTO_TEST_CASE(neighbours_go_in_one_call) {
  put_cool(take_dirty(64));
  const uint64_t before = faulty::calls(faulty::Call::kPurge);
  BOOST_TEST(purge(kGiB) == 64 * stride);
  BOOST_TEST(faulty::calls(faulty::Call::kPurge) == before + 1);
}

BOOST_AUTO_TEST_CASE(a_refused_purge_leaves_slots_cool_and_loses_none) {
  const std::vector<void*> blocks = take_dirty(150);
  put_cool(blocks);
  const uint32_t untouched = central.count_clean();
  faulty::fail(faulty::Call::kPurge, 0, UINT64_MAX);
  uint32_t steps = 0;
  do {
    BOOST_TEST(purge(kGiB) == 0U);
    ++steps;
  } while (cursor != 0 && steps < 100);
  BOOST_TEST(steps < 100U);
  BOOST_TEST(refused);
  BOOST_TEST(central.count_cool() == 150U);
  BOOST_TEST(central.count_clean() == untouched);
  for (const void* block : blocks) {
    BOOST_REQUIRE((state(block).load() == SlotState::kFree));
  }
  faulty::reset();
  refused = false;
  BOOST_TEST(purge_all() == 150 * stride);
  BOOST_TEST(!refused);
}

BOOST_AUTO_TEST_CASE(of_two_runs_in_a_word_one_may_be_refused) {
  const std::vector<void*> blocks = take_dirty(10);
  put_cool({blocks[1], blocks[2], blocks[5]});
  faulty::fail(faulty::Call::kPurge, 0, 1);
  BOOST_TEST(purge(kGiB) == stride);
  BOOST_TEST(refused);
  BOOST_TEST((state(blocks[1]).load() == SlotState::kFree));
  BOOST_TEST((state(blocks[2]).load() == SlotState::kFree));
  BOOST_TEST((state(blocks[5]).load() == SlotState::kClean));
  BOOST_TEST(central.count_cool() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
