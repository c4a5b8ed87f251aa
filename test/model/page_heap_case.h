// SPDX-License-Identifier: MIT
// A page heap of one chunk or a few, nearly full, for cases: who has which block, what its owner
// wrote to it, and whether the index tells of each free run once the threads are done.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "alloc/core/page_heap.h"
#include "test/model/explore.h"
#include "test/model/exposed.h"

namespace spillway::model {

struct IndexOf {
  using Member = core::RunIndex core::PageHeap::*;
  friend Member exposed(IndexOf);
};
struct ChunksOf {
  using Member = core::Chunk* core::PageHeap::*;
  friend Member exposed(ChunksOf);
};

template struct Expose<IndexOf, &core::PageHeap::index_>;
template struct Expose<ChunksOf, &core::PageHeap::chunks_>;

}  // namespace spillway::model

namespace spillway::core::testing {

inline constexpr ClassIndex kOnePage{1};
inline constexpr ClassIndex kTwoPages{2};
inline constexpr std::array<uint32_t, 2> kPageSizes = {4096, 8192};

struct PageHeapCase {
  // Of `chunks` chunks the first has so many free grains at its end, clean ones.
  explicit PageHeapCase(uint32_t free_grains, uint32_t chunks = 1) {
    const PageHeap::Config config{.block_sizes = kPageSizes,
                                  .coloured_from = SIZE_MAX,
                                  .max_bytes = chunks * kChunkSize,
                                  .min_bytes = chunks * kChunkSize,
                                  .max_run_bytes = chunks * kChunkSize};
    model::require(heap.start(config), "the heap starts");
    // The block that fills the rest: no longer than half of the arena.
    for (uint32_t left = kGrainsPerChunk - free_grains; left != 0;) {
      const uint32_t grains = std::min(left, kGrainsPerChunk / 2);
      model::require(heap.take_large(grains * kGrainSize, kGranuleSize) != nullptr, "room");
      left -= grains;
    }
    at_start = free_bytes();
  }

  // Bytes that are free, and found by the index if they are as many as a block needs.
  uint64_t free_bytes() {
    heap.empty_spill_freelists();
    const PageHeap::FreeBytes free = heap.free_bytes();
    return free.dirty() + free.clean;
  }

  // --- a thread's blocks

  struct Block {
    char* start = nullptr;
    size_t bytes = 0;
    ClassIndex index = kNoClass;
  };
  // Where a block's contents are: its ends.
  static uint64_t& first_of(const Block& block) {
    return *reinterpret_cast<uint64_t*>(block.start);
  }
  static uint64_t& last_of(const Block& block) {
    return *reinterpret_cast<uint64_t*>(block.start + block.bytes - sizeof(uint64_t));
  }
  StateByte& state(const Block& block) const {
    return heap.arena().state_at(heap.arena().offset(block.start));
  }
  void own(Block& block) {
    const size_t offset = heap.arena().offset(block.start);
    if (state(block).load() == SlotState::kClean) {
      model::require(first_of(block) == 0 && last_of(block) == 0,
                     "a block was called clean and is not zero");
    }
    state(block).store(live_state(inside_granule(offset)));
    first_of(block) = last_of(block) = model::this_thread() + 1;
  }
  Block take(ClassIndex index, uint32_t who = 0) {
    void* start = nullptr;
    if (heap.take(index, who, &start, 1) == 0) {
      return {};
    }
    Block block{static_cast<char*>(start), kPageSizes[raw(index) - 1U], index};
    own(block);
    return block;
  }
  Block take_large(size_t bytes) {
    Block block{static_cast<char*>(heap.take_large(bytes, kGranuleSize)), bytes, kNoClass};
    if (block.start != nullptr) {
      own(block);
      model::require(heap.usable(block.start) == bytes, "a large block is as long as it says");
    }
    return block;
  }
  Block take_with_room(size_t bytes) {
    Block block{static_cast<char*>(heap.take_with_room(bytes)), 0, kNoClass};
    if (block.start != nullptr) {
      block.bytes = heap.usable(block.start);
      model::require(block.bytes >= bytes, "a block has the bytes that were asked for");
      own(block);
    }
    return block;
  }
  void give(Block& block, uint32_t who = 0) {
    if (block.start == nullptr) {
      return;
    }
    const uint64_t mine = model::this_thread() + 1;
    model::require(first_of(block) == mine && last_of(block) == mine,
                   "a block's contents are its owner's");
    if (block.index == kNoClass) {
      model::require(heap.usable(block.start) == block.bytes,
                     "a large block is as long as it says");
    }
    state(block).store(SlotState::kFree);
    if (block.index == kNoClass) {
      model::require(heap.give_large(block.start), "a block was free already");
    } else {
      void* const start = block.start;
      model::require(heap.put(block.index, who, &start, 1) == nullptr, "a block was free already");
    }
    block = {};
  }

  // --- once the threads are done

  // Each free run is found: by its own entry, or by one of a longer run that was here before, which
  // the next search for a run of this length meets, and replaces.
  void check_index() {
    RunIndex& index = heap.*exposed(model::IndexOf{});
    Chunk* const chunks = heap.*exposed(model::ChunksOf{});
    const auto words = static_cast<uint32_t>(heap.size_bytes() / kGrainSize / Chunk::kBits);
    uint32_t start = 0;
    uint32_t length = 0;
    const auto end_run = [&] {
      if (length >= index.min_length()) {
        const uint32_t word = start / Chunk::kBits;
        bool found = false;
        for (uint32_t bucket = index.bucket_of(length); bucket < index.bucket_count(); ++bucket) {
          const RunIndex::Entry entry = index.next({bucket, word});
          found = found || (entry.bucket == bucket && entry.word == word);
        }
        model::require(found, "a free run has no entry");
      }
      length = 0;
    };
    for (uint32_t at = 0; at < words; ++at) {
      uint64_t left = chunks[at / Chunk::kWords].word(at % Chunk::kWords);
      if (left == 0 || (left & 1) == 0) {
        end_run();
      }
      for (uint32_t inside = 0; left != 0;) {
        const auto zeros = static_cast<uint32_t>(std::countr_zero(left));
        inside += zeros;
        left >>= zeros;
        const auto ones = static_cast<uint32_t>(std::countr_one(left));
        start = length == 0 ? at * Chunk::kBits + inside : start;
        length += ones;
        inside += ones;
        left = ones < Chunk::kBits ? left >> ones : 0;
        if (inside < Chunk::kBits) {
          end_run();
        }
      }
    }
    end_run();
  }
  void finish_with(uint64_t owned_bytes) {
    check_index();
    model::require(free_bytes() + owned_bytes == at_start, "a grain is lost");
    check_index();
  }

  PageHeap heap;
  uint64_t at_start = 0;
};

}  // namespace spillway::core::testing
