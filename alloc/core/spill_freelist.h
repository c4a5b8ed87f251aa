// SPDX-License-Identifier: MIT
// A class's free blocks on their way from one thread to another, past the page heap. Memory here
// can serve no other class: there is room only where one thread gave back what another wanted, and
// as much as the heap's size justifies (page_heap.h).
//
//   free cells --put--> written --> full cells --take--> read --> free cells
//
// Lock-free; any thread, signal handlers and forked children included. Cost: two read-modify-writes
// a batch. Zeroed memory is a list without room.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/bits.h"

namespace spillway::core {

class SpillFreelist {
 public:
  static constexpr uint32_t kMaxBlocks = 64;

  // Move up to `count` blocks, the first ones, and return how many; not always last in, first out.
  // `who` tells threads apart; 0: not told.
  uint32_t put(void* const* blocks, uint32_t count, uint32_t who);
  uint32_t take(void** blocks, uint32_t count);

  // For a thread that got nothing: whether blocks of another thread were refused since the last
  // call, so that room would have served both.
  bool wants_room(uint32_t who) {
    // relaxed, both: a hint.
    const uint32_t refused = refused_.load(std::memory_order_relaxed);
    if (refused == 0 || who == 0 || refused == who) {
      return false;
    }
    refused_.store(0, std::memory_order_relaxed);
    return true;
  }
  // Room for so many more, as far as there may be; returns how many.
  uint32_t add_room(uint32_t count);
  // relaxed: a hint.
  bool has_room() const { return room_.load(std::memory_order_relaxed) != 0; }
  // Takes up to `count` of the cells that are free away, and returns how many.
  uint32_t take_room(uint32_t count);
  // Blocks that no thread took since the last call: the fewest there were. For one caller at a
  // time.
  uint32_t unwanted();

  // In a forked child: cells that a thread had in hand which did not come along; its blocks are
  // lost.
  void recover_after_fork() {
    // relaxed, all: the only thread there is.
    free_.store(room_.load(std::memory_order_relaxed) & ~full_.load(std::memory_order_relaxed),
                std::memory_order_relaxed);
  }

  // relaxed: a momentary answer.
  uint32_t count() const { return count_bits(full_.load(std::memory_order_relaxed)); }

 private:
  using Word = std::atomic<uint64_t>;

  alignas(64) Word free_{0};
  Word full_{0};
  Word room_{0};  // cells that may be used; the others are neither free nor full
  // relaxed, both: hints.
  std::atomic<uint32_t> refused_{0};  // the last one whose blocks were
  std::atomic<uint32_t> low_water_{0};
  // relaxed: between the changes of the two words, which order them.
  std::atomic<void*> cells_[kMaxBlocks]{};
};

}  // namespace spillway::core
