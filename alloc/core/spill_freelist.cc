// SPDX-License-Identifier: MIT
#include "alloc/core/spill_freelist.h"

#include <bit>

namespace spillway::core {

uint32_t SpillFreelist::put(void* const* blocks, uint32_t count, uint32_t who) {
  // relaxed: a guess; the fetch_and decides.
  const uint64_t wanted = lowest_set_bits(free_.load(std::memory_order_relaxed), count);
  // acquire: pairs with the release in take(); the cells were read.
  const uint64_t cells =
      wanted != 0 ? free_.fetch_and(~wanted, std::memory_order_acquire) & wanted : 0;
  uint32_t done = 0;
  for (uint64_t left = cells; left != 0; left &= left - 1) {
    cells_[std::countr_zero(left)].store(blocks[done++], std::memory_order_relaxed);
  }
  if (cells != 0) {
    // release: pairs with the acquire in take(); the cells are written, and the thread
    // that put the blocks is done with them. seq_cst: as Chunk::give(), see leave() in
    // heap/background.cc.
    full_.fetch_or(cells, std::memory_order_seq_cst);
  }
  if (done < count && who != 0 && refused_.load(std::memory_order_relaxed) != who) {
    refused_.store(who, std::memory_order_relaxed);
  }
  return done;
}

uint32_t SpillFreelist::take(void** blocks, uint32_t count) {
  // relaxed: a guess; the fetch_and decides.
  const uint64_t seen = full_.load(std::memory_order_relaxed);
  if (seen == 0) {
    if (low_water_.load(std::memory_order_relaxed) != 0) {
      low_water_.store(0, std::memory_order_relaxed);
    }
    return 0;
  }
  const uint64_t wanted = lowest_set_bits(seen, count);
  // acquire: pairs with the release in put().
  const uint64_t before = full_.fetch_and(~wanted, std::memory_order_acquire);
  const uint64_t cells = before & wanted;
  uint32_t done = 0;
  for (uint64_t left = cells; left != 0; left &= left - 1) {
    blocks[done++] = cells_[std::countr_zero(left)].load(std::memory_order_relaxed);
  }
  if (cells != 0) {
    // release: pairs with the acquire in put().
    free_.fetch_or(cells, std::memory_order_release);
  }
  const uint32_t rest = count_bits(before & ~wanted);
  if (rest < low_water_.load(std::memory_order_relaxed)) {
    low_water_.store(rest, std::memory_order_relaxed);
  }
  return done;
}

uint32_t SpillFreelist::add_room(uint32_t count) {
  // relaxed: a guess; of two threads that add at once each adds what the other did not.
  const uint64_t added = lowest_set_bits(~room_.load(std::memory_order_relaxed), count);
  // acquire: pairs with the release in take_room(); the cells were read.
  const uint64_t mine = added & ~room_.fetch_or(added, std::memory_order_acquire);
  // release: pairs with the acquire in put(); the cells are free.
  free_.fetch_or(mine, std::memory_order_release);
  return count_bits(mine);
}

uint32_t SpillFreelist::take_room(uint32_t count) {
  // relaxed: a guess, which the exchange below checks. acquire: as in put().
  const uint64_t wanted = lowest_set_bits(free_.load(std::memory_order_relaxed), count);
  const uint64_t mine = free_.fetch_and(~wanted, std::memory_order_acquire) & wanted;
  // release: pairs with the acquire in add_room(), whose thread has the cells next.
  room_.fetch_and(~mine, std::memory_order_release);
  return count_bits(mine);
}

uint32_t SpillFreelist::unwanted() {
  // relaxed: a hint.
  return low_water_.exchange(count(), std::memory_order_relaxed);
}

}  // namespace spillway::core
