// SPDX-License-Identifier: MIT
// A page heap with the classes of the process heap, over memory that fails on demand.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <map>
#include <span>
#include <vector>

#include "alloc/base/bits.h"
#include "alloc/config/size_classes.h"
#include "alloc/core/page_heap.h"
#include "test/bytes.h"
#include "test/os/faulty_memory.h"

namespace spillway::core::testing {

namespace faulty = os::faulty;
using spillway::testing::holds;

inline constexpr size_t kHeapColouredFrom = 64 * kKiB;  // heap/heap.h has it
inline constexpr size_t kMaxRun = 64 * kMiB;

// A quarter of it is for wide slots.
inline PageHeap::Config page_heap_config(size_t max_bytes = 256 * kMiB) {
  return {.block_sizes = std::span(config::kHeapClassSizes).subspan<1>(),
          .coloured_from = kHeapColouredFrom,
          .max_bytes = max_bytes,
          .min_bytes = max_bytes,
          .max_run_bytes = kMaxRun};
}

constexpr ClassIndex heap_class(size_t size) {
  return config::kSizeMap[config::size_map_entry(size)];
}

struct PageHeapFixture {
  explicit PageHeapFixture(size_t max_bytes = 256 * kMiB) {
    faulty::reset();
    BOOST_REQUIRE(heap.start(page_heap_config(max_bytes)));
  }
  ~PageHeapFixture() {
    heap.stop();
    faulty::reset();
  }
  PageHeapFixture(const PageHeapFixture&) = delete;
  PageHeapFixture& operator=(const PageHeapFixture&) = delete;

  size_t offset(const void* block) const { return heap.arena().offset(block); }
  StateByte& state(const void* block) const { return heap.arena().state_at(offset(block)); }
  ClassIndex class_of(const void* block) const {
    return heap.arena().entry_at(offset(block)).class_index();
  }
  bool is_clean(const void* block) const { return state(block).load() == SlotState::kClean; }
  void mark_live(const void* block) const {
    state(block).store(live_state(inside_granule(offset(block))));
  }

  // Live blocks; may be null.
  void* get(ClassIndex index) {
    void* block = nullptr;
    return heap.take(index, hint, &block, 1) != 0 ? live(block) : nullptr;
  }
  void* get(size_t size) { return get(heap_class(size)); }
  void* get_aligned(size_t size, size_t alignment) {
    return live(heap.take_aligned(heap_class(size), alignment));
  }
  void* get_large(size_t size, size_t alignment = 1) {
    return live(heap.take_large(size, alignment));
  }
  // By their addresses; the first ones of a heap are neighbours.
  std::vector<void*> get_many(size_t size, uint32_t count) {
    std::vector<void*> blocks;
    for (uint32_t i = 0; i < count; ++i) {
      blocks.push_back(get(size));
      BOOST_REQUIRE(blocks.back() != nullptr);
    }
    std::sort(blocks.begin(), blocks.end());
    return blocks;
  }
  // A block of any kind back, as free() gives it; true when it was the first time.
  bool give(void* block) {
    state(block).store(SlotState::kFree);
    const ClassIndex index = class_of(block);
    return index != kNoClass ? heap.put(index, hint, &block, 1) == nullptr : heap.give_large(block);
  }
  void give_all(const std::vector<void*>& blocks) {
    for (void* block : blocks) {
      BOOST_REQUIRE(give(block));
    }
  }

  void fill(void* block, char value = 0x5a) const { std::memset(block, value, heap.usable(block)); }
  bool is_filled_with(const void* block, char value) const {
    return holds(block, 0, heap.usable(block), value);
  }

  uint64_t free_bytes() const {
    const PageHeap::FreeBytes free = heap.free_bytes();
    return free.dirty() + free.clean;
  }
  // Spilled blocks, too, once they are given back.
  bool everything_is_free() {
    heap.empty_spill_freelists();
    return free_bytes() == heap.size_bytes();
  }
  stats::Snapshot snapshot() const {
    stats::Snapshot result;
    heap.collect(result);
    return result;
  }
  uint64_t purge(uint64_t max_bytes, bool recent_too = false) {
    return heap.purge(cursor, max_bytes, recent_too, refused);
  }
  uint64_t purge_all(bool recent_too = false) {
    uint64_t sum = 0;
    uint64_t bytes = 0;
    cursor = 0;
    do {
      bytes = purge(kGiB, recent_too);
      sum += bytes;
    } while ((bytes != 0 || cursor != 0) && !refused);
    return sum;
  }

  PageHeap heap;
  uint32_t hint = 0;
  uint32_t cursor = 0;
  bool refused = false;

 private:
  void* live(void* block) const {
    if (block != nullptr) {
      mark_live(block);
    }
    return block;
  }
};

// Blocks by their offsets; two that overlap are refused.
class Extents {
 public:
  explicit Extents(const PageHeapFixture& fixture) : fixture_(fixture) {}
  bool add(const void* block) { return add(fixture_.offset(block), fixture_.heap.usable(block)); }
  bool add(size_t start, size_t bytes) {
    const auto next = ends_.lower_bound(start);
    if (next != ends_.end() && next->first < start + bytes) {
      return false;
    }
    if (next != ends_.begin() && std::prev(next)->second > start) {
      return false;
    }
    ends_[start] = start + bytes;
    return true;
  }
  void remove(const void* block) { ends_.erase(fixture_.offset(block)); }

 private:
  const PageHeapFixture& fixture_;
  std::map<size_t, size_t> ends_;
};

}  // namespace spillway::core::testing
