// SPDX-License-Identifier: MIT
// Blocks on their way from one thread to another: each arrives once, and whole.
#include "alloc/core/spill_freelist.h"

#include <boost/test/unit_test.hpp>

#include "test/model/explore.h"

namespace spillway::core {
namespace {

using model::explore;
using model::require;

// A list with a little room, so that cells are used again.
template <uint32_t kRoom>
struct SpillCase {
  static constexpr uint32_t kBlocks = 3;
  struct Block {
    uint32_t contents = 0;
    uint32_t owners = 1;
  };

  SpillCase() {
    list.add_room(kRoom);
    // The cells are the last that a list has.
    constexpr size_t kCells = 3 * sizeof(uint64_t) + 2 * sizeof(uint32_t);
    model::hand_over(reinterpret_cast<char*>(&list) + kCells,
                     SpillFreelist::kMaxBlocks * sizeof(void*));
  }
  bool put(uint32_t number) {
    Block& block = blocks[number];
    require(block.owners == 1, "a block has one owner");
    block.contents = 1;
    block.owners = 0;
    void* const address = &block;
    if (list.put(&address, 1, model::this_thread() + 1) == 0) {
      block.owners = 1;
      return false;
    }
    return true;
  }
  // How many.
  uint32_t take(uint32_t count) {
    void* taken[kBlocks];
    const uint32_t done = list.take(taken, count);
    for (uint32_t i = 0; i < done; ++i) {
      require(taken[i] != nullptr, "a cell is written before it is full");
      auto& block = *static_cast<Block*>(taken[i]);
      require(block.owners++ == 0, "a block was taken twice");
      require(block.contents == 1, "a block's contents are its last owner's");
      block.contents = 0;
    }
    return done;
  }
  void finish() {
    uint32_t owned = 0;
    for (const Block& block : blocks) {
      owned += block.owners;
    }
    require(owned + list.count() == kBlocks, "a block is lost");
    take(kBlocks);
    for (const Block& block : blocks) {
      require(block.owners == 1, "a block is lost");
    }
  }

  SpillFreelist list;
  Block blocks[kBlocks];
};

// Through one cell and two.
template <uint32_t kRoom>
struct Through : SpillCase<kRoom> {
  void thread(unsigned number) {
    if (number == 0) {
      this->put(0);
      this->put(1);
    } else if (number == 1) {
      this->take(2);
      this->put(2);
    } else {
      this->take(1);
    }
  }
};

// Room is added and taken away beside a put.
struct Room : SpillCase<1> {
  void thread(unsigned number) {
    if (number == 0) {
      put(0);
      put(1);
    } else if (number == 1) {
      list.add_room(1);
      take(1);
    } else {
      list.take_room(2);
      list.add_room(1);
    }
  }
  void finish() {
    SpillCase<1>::finish();
    // No cell serves twice.
    void* others[kBlocks] = {&blocks[0], &blocks[1], &blocks[2]};
    require(list.add_room(1) <= 1, "room");
    const uint32_t done = list.put(others, kBlocks, 1);
    require(done == list.take(others, kBlocks), "each cell holds a block");
  }
};

// A thread that does not come along is anywhere in a put or a take: what is in the list then is
// whole, and its cells serve again.
struct Lost : SpillCase<2> {
  Lost() { put(0); }
  void thread(unsigned number) {
    if (number == 0) {
      put(1);
      take(1);
      put(2);
    } else {
      model::lose_other_threads();
      list.recover_after_fork();
      const uint32_t there = list.count();
      void* others[2] = {&more[0], &more[1]};
      require(list.put(others, 2, 1) == 2 - there, "each cell that is not full is free");
      void* taken[kBlocks];
      require(list.take(taken, kBlocks) == 2, "a block is in the list and is not found");
      require(taken[0] != nullptr && taken[1] != nullptr && taken[0] != taken[1],
              "each cell holds a block");
    }
  }
  void finish() {}
  Block more[2];
};

BOOST_AUTO_TEST_SUITE(spill_freelist)

BOOST_AUTO_TEST_CASE(blocks_go_through_once) {
  explore<Through<1>>("through one cell", {.threads = 3, .older_loads = 2});
  explore<Through<2>>("through two cells", {.threads = 3, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(room_comes_and_goes) {
  explore<Room>("room", {.threads = 3, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(a_fork_at_any_step) {
  explore<Lost>("lost put and take", {.threads = 2, .plain_stores = true});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core
