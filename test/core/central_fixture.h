// SPDX-License-Identifier: MIT
// One class of an arena, used as a thread's cache does.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "alloc/core/central.h"
#include "test/bytes.h"
#include "test/os/fake_process.h"
#include "test/os/faulty_memory.h"

namespace spillway::core::testing {

namespace faulty = os::faulty;

inline constexpr ClassIndex kIndex{2};
inline constexpr size_t kCentralSpan = 64 * kMiB;

struct CentralFixture {
  explicit CentralFixture(size_t block_size = 20 * kKiB)
      : size(block_size),
        layout{static_cast<uint32_t>(size / kGranuleSize),
               static_cast<uint32_t>(kCentralSpan / size)},
        memory(Central::bytes_needed(layout) / sizeof(uint64_t)) {
    faulty::reset();
    BOOST_REQUIRE(arena.reserve(2, kCentralSpan, Arena::kAlignment));
    central.attach(arena, kIndex, layout, memory.data());
  }
  ~CentralFixture() {
    arena.release();
    faulty::reset();
    os::fake::reset();
  }
  CentralFixture(const CentralFixture&) = delete;
  CentralFixture& operator=(const CentralFixture&) = delete;

  // `count` blocks, each full of a byte that is not zero, marked live.
  std::vector<void*> take_dirty(uint32_t count) {
    std::vector<void*> blocks(count);
    BOOST_REQUIRE(central.take(hint, blocks.data(), count) == count);
    for (void* block : blocks) {
      std::memset(block, 0x5a, size);
      state(block).store(live_state(0));
    }
    return blocks;
  }
  void put(const std::vector<void*>& blocks) {
    for (void* block : blocks) {
      state(block).store(SlotState::kFree);
      BOOST_REQUIRE(central.put(hint, &block, 1) == nullptr);
    }
  }
  uint64_t purge(uint64_t max_bytes) { return central.purge(cursor, max_bytes, refused); }
  uint64_t purge_all() {
    uint64_t sum = 0;
    for (uint64_t bytes; (bytes = purge(kGiB)) != 0;) {
      sum += bytes;
    }
    return sum;
  }
  StateByte& state(const void* block) const {
    return arena.state(arena.granule_at(arena.offset(block)));
  }
  bool is_filled_with(const void* block, char value) const {
    return spillway::testing::holds(block, 0, size, value);
  }
  // From the span's start.
  size_t offset(const void* block) const {
    return arena.offset(block) - arena.offset(arena.address(arena.first_granule(kIndex)));
  }

  const size_t size;
  const SlotLayout layout;
  Arena arena;
  std::vector<uint64_t> memory;
  Central central;
  uint32_t hint = 0;
  uint32_t cursor = 0;
  bool refused = false;
};

}  // namespace spillway::core::testing
