#include "alloc/core/central.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "test/core/central_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

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
  for (uint32_t newcomer = 0; newcomer < 1000; ++newcomer) {
    BOOST_REQUIRE(central.start_hint(newcomer) <= 199 / Freelist::kSlotsPerWord);
  }
}

struct WholeWords : CentralFixture {
  WholeWords() : CentralFixture(16 * kKiB) {}
};

BOOST_FIXTURE_TEST_CASE(newcomers_to_a_class_in_full_use_start_inside_the_freelist, WholeWords) {
  BOOST_REQUIRE(one->slots % Freelist::kSlotsPerWord == 0U);
  void* blocks[Central::kMostBatch];
  while (take(client, blocks, Central::kMostBatch) != 0) {
  }
  BOOST_REQUIRE(central.grown() == one->slots);
  for (uint32_t newcomer = 0; newcomer < 1000; ++newcomer) {
    BOOST_REQUIRE(central.start_hint(newcomer) < one->slots / Freelist::kSlotsPerWord);
  }
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

BOOST_AUTO_TEST_CASE(all_clients_together_keep_apart_as_if_one_worked_on_each_processor) {
  constexpr uint32_t kProcessors = 2;
  os::fake::have_processors(kProcessors);
  const uint32_t clients = 4 * kProcessors;
  // In each line one live block, and the others free.
  std::set<uint32_t> lines;
  for (void* block : take_dirty(clients * kFirstGroup)) {
    if (!lines.insert(line_of(block)).second) {
      put({block});
    }
  }
  uint32_t untouched = 0;
  for (uint32_t i = 0; i < clients; ++i) {
    Central::Client apart;
    apart.holder = static_cast<Holder>(i + 1);
    apart.keeps_apart = true;
    for (void* block = nullptr;; ++untouched) {
      BOOST_REQUIRE(take(apart, &block, 1) == 1U);
      if (lines.count(line_of(block)) != 0) {
        break;
      }
    }
  }
  BOOST_TEST(untouched >= 8 * kProcessors * kFirstGroup);
  // A quarter of the runs that were needed, too: those of take_dirty().
  BOOST_TEST(untouched <= (8 * kProcessors + clients / 4 + 1) * kFirstGroup);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
