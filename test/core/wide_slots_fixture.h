// SPDX-License-Identifier: MIT
// Wide slots at the end of an arena; most have eight of 4 MiB.
#pragma once

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "alloc/core/wide_slots.h"
#include "test/bytes.h"
#include "test/os/fake_process.h"
#include "test/os/faulty_memory.h"

namespace spillway::core::testing {

namespace faulty = os::faulty;
using spillway::testing::holds;
inline constexpr size_t kSlot = 4 * kMiB;
inline constexpr uint32_t kSlots = 8;
// In front of the slots.
inline constexpr size_t kChunksBytes = 4 * kMiB;

struct WideFixture {
  explicit WideFixture(size_t max_bytes = 32 * kMiB)
      : area(WideSlots::area_bytes(max_bytes)),
        memory(WideSlots::bytes_needed(area) / sizeof(uint64_t)) {
    faulty::reset();
    os::fake::reset();
    const size_t bytes = kChunksBytes + area;
    BOOST_REQUIRE(arena.reserve(bytes, bytes));
    wide.attach(arena, Granule{kChunksBytes / kGranuleSize}, area, memory.data());
  }
  ~WideFixture() {
    arena.release();
    faulty::reset();
    os::fake::reset();
  }
  WideFixture(const WideFixture&) = delete;
  WideFixture& operator=(const WideFixture&) = delete;

  StateByte& state_of(const void* block) const { return arena.state_at(arena.offset(block)); }
  Granule granule_of(const void* block) const { return arena.granule_at(arena.offset(block)); }
  // A live block; may be null.
  void* get(size_t size) {
    void* block = wide.take(size);
    if (block != nullptr) {
      state_of(block).store(live_state(inside_granule(arena.offset(block))));
    }
    return block;
  }
  // One of which all that may be used is written to.
  void* get_dirty(size_t size) {
    void* block = get(size);
    BOOST_REQUIRE(block != nullptr);
    fill(block);
    return block;
  }
  void give(void* block) {
    state_of(block).store(SlotState::kFree);
    wide.give(block);
  }
  void fill(void* block) { std::memset(block, 0x5a, wide.usable(block)); }
  stats::Snapshot snapshot() const {
    stats::Snapshot result;
    wide.collect(result);
    return result;
  }
  uint64_t free_bytes() const { return snapshot().large_free_bytes; }
  uint64_t live_bytes() const { return snapshot().large_live_bytes; }
  uint64_t purge_old() { return wide.purge_old(go_on, refused); }
  void purge_all() { wide.purge_all(go_on, refused); }

  const size_t area;
  HeapArena arena;
  std::vector<uint64_t> memory;
  WideSlots wide;
  const std::atomic<bool> go_on{false};
  bool refused = false;
};
struct ShortArea : WideFixture {
  ShortArea() : WideFixture(31 * kMiB) {}
};
struct LongArea : WideFixture {
  LongArea() : WideFixture(4 * kGiB) {}
};
struct ManySlots : WideFixture {
  ManySlots() : WideFixture(512 * kMiB) {}
};

}  // namespace spillway::core::testing
