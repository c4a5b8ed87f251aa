// SPDX-License-Identifier: MIT
#include "alloc/core/spill_freelist.h"

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <set>
#include <thread>
#include <vector>

#include "test/forked_child.h"

namespace spillway::core {
namespace {

constexpr uint32_t kMax = SpillFreelist::kMaxBlocks;
constexpr uint32_t kOne = 1;
constexpr uint32_t kOther = 2;

struct SpillFixture {
  // `count` of the blocks from `first` on.
  uint32_t put(size_t first, uint32_t count, uint32_t who = kOne) {
    void* blocks[2 * kMax];
    for (uint32_t i = 0; i < count; ++i) {
      blocks[i] = &memory[first + i];
    }
    return list.put(blocks, count, who);
  }
  // Their numbers.
  std::set<ptrdiff_t> take(uint32_t count) {
    void* blocks[2 * kMax] = {};
    const uint32_t taken = list.take(blocks, count);
    std::set<ptrdiff_t> numbers;
    for (uint32_t i = 0; i < taken; ++i) {
      numbers.insert(static_cast<char*>(blocks[i]) - memory);
    }
    BOOST_TEST(numbers.size() == taken);
    return numbers;
  }

  SpillFreelist list;
  char memory[4 * kMax] = {};
};

BOOST_FIXTURE_TEST_SUITE(spill_freelist, SpillFixture)

BOOST_AUTO_TEST_CASE(there_is_no_room_at_the_start) {
  BOOST_TEST(put(0, 3) == 0U);
  BOOST_TEST(take(3).empty());
  BOOST_TEST(list.count() == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_put_is_taken_once) {
  BOOST_TEST(list.add_room(8) == 8U);
  BOOST_TEST(put(0, 5) == 5U);
  BOOST_TEST(list.count() == 5U);
  std::set<ptrdiff_t> taken = take(2);
  BOOST_TEST(taken.size() == 2U);
  BOOST_TEST(list.count() == 3U);
  taken.merge(take(kMax));
  BOOST_TEST((taken == std::set<ptrdiff_t>{0, 1, 2, 3, 4}));
  BOOST_TEST(take(1).empty());
}

BOOST_AUTO_TEST_CASE(the_first_blocks_of_a_batch_find_room) {
  list.add_room(4);
  BOOST_TEST(put(0, 3) == 3U);
  BOOST_TEST(put(10, 3) == 1U);
  BOOST_TEST(put(20, 3) == 0U);
  BOOST_TEST((take(kMax) == std::set<ptrdiff_t>{0, 1, 2, 10}));
  BOOST_TEST(put(30, 5) == 4U);
}

BOOST_AUTO_TEST_CASE(room_ends_with_the_cells) {
  BOOST_TEST(list.add_room(kMax - 4) == kMax - 4);
  BOOST_TEST(list.add_room(10) == 4U);
  BOOST_TEST(list.add_room(1) == 0U);
  BOOST_TEST(put(0, kMax + 10) == kMax);
  BOOST_TEST(take(2 * kMax).size() == kMax);
}

BOOST_AUTO_TEST_CASE(free_cells_alone_can_be_taken_away) {
  list.add_room(10);
  BOOST_TEST(put(0, 4) == 4U);
  BOOST_TEST(list.take_room(2) == 2U);
  BOOST_TEST(list.take_room(10) == 4U);
  BOOST_TEST(list.take_room(1) == 0U);
  BOOST_TEST(put(10, 1) == 0U);
  BOOST_TEST((take(kMax) == std::set<ptrdiff_t>{0, 1, 2, 3}));
  BOOST_TEST(put(20, 5) == 4U);  // the cells of those that were taken
  BOOST_TEST(list.add_room(kMax) == kMax - 4);
}

BOOST_AUTO_TEST_CASE(room_is_wanted_for_what_another_thread_was_refused) {
  BOOST_TEST(!list.wants_room(kOther));  // nothing was
  put(0, 1, kOne);
  BOOST_TEST(!list.wants_room(kOne));
  BOOST_TEST(!list.wants_room(0));
  BOOST_TEST(list.wants_room(kOther));
  BOOST_TEST(!list.wants_room(kOther));  // once
  put(0, 1, kOther);
  BOOST_TEST(!list.wants_room(kOther));
  BOOST_TEST(list.wants_room(kOne));
}

BOOST_AUTO_TEST_CASE(no_room_is_wanted_for_what_was_kept_or_of_threads_unknown) {
  list.add_room(2);
  put(0, 2, kOne);
  BOOST_TEST(!list.wants_room(kOther));
  put(2, 1, 0);
  BOOST_TEST(!list.wants_room(kOther));
  put(3, 1, kOne);
  BOOST_TEST(list.wants_room(kOther));
}

BOOST_AUTO_TEST_CASE(unwanted_are_as_many_as_were_there_all_the_time) {
  list.add_room(10);
  put(0, 6);
  BOOST_TEST(list.unwanted() == 0U);  // they came since the call before
  BOOST_TEST(list.unwanted() == 6U);
  take(4);
  put(10, 4);
  BOOST_TEST(list.unwanted() == 2U);
  take(kMax);
  put(0, 3);
  BOOST_TEST(list.unwanted() == 0U);
  take(kMax);
  take(1);
  BOOST_TEST(list.unwanted() == 0U);
  BOOST_TEST(list.unwanted() == 0U);
}

BOOST_AUTO_TEST_CASE(a_taker_that_finds_none_wants_all_that_came_since) {
  list.add_room(10);
  put(0, 6);
  list.unwanted();
  take(6);
  take(1);
  put(0, 6);
  BOOST_TEST(list.unwanted() == 0U);
}

BOOST_AUTO_TEST_CASE(recovery_changes_nothing_of_a_list_at_rest) {
  list.add_room(10);
  put(0, 6);
  list.recover_after_fork();
  BOOST_TEST(put(10, 10) == 4U);
  BOOST_TEST((take(kMax) == std::set<ptrdiff_t>{0, 1, 2, 3, 4, 5, 10, 11, 12, 13}));
}

BOOST_AUTO_TEST_CASE(a_child_has_all_room_whatever_others_had_in_hand) {
  list.add_room(16);
  std::atomic<bool> enough{false};
  std::thread other([&] {
    void* blocks[8];
    for (uint32_t i = 0; i < 8; ++i) {
      blocks[i] = &memory[i];
    }
    while (!enough) {
      const uint32_t put = list.put(blocks, 8, kOther);
      for (uint32_t done = 0; done < put;) {
        done += list.take(blocks + done, put - done);
      }
    }
  });
  int bad = 0;
  for (int i = 0; i < 20; ++i) {
    const bool good = spillway::testing::holds_in_child([this] {
      list.recover_after_fork();
      void* blocks[kMax];
      return list.take(blocks, kMax) <= 8 && put(0, kMax) == 16 && list.take(blocks, kMax) == 16;
    });
    bad += good ? 0 : 1;
  }
  enough = true;
  other.join();
  BOOST_TEST(bad == 0);
}

// Threads pass blocks to each other that hold a stamp; each block has one owner at a time.
BOOST_AUTO_TEST_CASE(blocks_are_their_takers_alone) {
  constexpr uint32_t kRounds = 20000;
  constexpr uint32_t kThreads = 2;
  constexpr uint32_t kBlocks = 12;  // of each
  struct Block {
    uint64_t owner = 0;  // not atomic: the list orders these accesses
    uint64_t stamp = 0;
  };
  std::vector<Block> blocks(kThreads * kBlocks);
  std::atomic<int> errors{0};
  std::atomic<uint64_t> passed{0};
  std::vector<std::vector<void*>> held(kThreads);
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < kThreads; ++number) {
    for (uint32_t i = 0; i < kBlocks; ++i) {
      Block& block = blocks[number * kBlocks + i];
      block = {number + 1, number + 1};
      held[number].push_back(&block);
    }
    threads.emplace_back([&, number] {
      std::vector<void*>& mine = held[number];
      for (uint32_t round = 0; round < kRounds; ++round) {
        const uint32_t count = std::min(static_cast<uint32_t>(mine.size()), round % 7 + 1);
        for (uint32_t i = 0; i < count; ++i) {
          auto* block = static_cast<Block*>(mine[i]);
          errors += block->owner == number + 1 && block->stamp == block->owner ? 0 : 1;
          *block = {0, 77};
        }
        const uint32_t put = list.put(mine.data(), count, number + 1);
        for (uint32_t i = put; i < count; ++i) {
          *static_cast<Block*>(mine[i]) = {number + 1, number + 1};
        }
        mine.erase(mine.begin(), mine.begin() + put);
        void* taken[8];
        const uint32_t got = list.take(taken, round % 8 + 1);
        for (uint32_t i = 0; i < got; ++i) {
          auto* block = static_cast<Block*>(taken[i]);
          errors += block->owner == 0 && block->stamp == 77 ? 0 : 1;
          *block = {number + 1, number + 1};
          mine.push_back(block);
        }
        passed += got;
        if (got == 0 && list.wants_room(number + 1)) {
          list.add_room(3);
        }
        if (round % 64 == 0) {
          list.add_room(round % 5);
          list.take_room(round % 3);
        }
        if (round % 256 == 0) {
          list.unwanted();
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(errors == 0);
  BOOST_TEST(passed > 0U);
  std::set<void*> all;
  for (const std::vector<void*>& mine : held) {
    all.insert(mine.begin(), mine.end());
  }
  void* rest[kMax];
  const uint32_t left = list.take(rest, kMax);
  all.insert(rest, rest + left);
  BOOST_TEST(all.size() == blocks.size());
  BOOST_TEST(left + held[0].size() + held[1].size() == blocks.size());
  list.take_room(kMax);
  BOOST_TEST(list.add_room(kMax) == kMax);  // no cell was lost
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
