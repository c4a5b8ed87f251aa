// One class of an arena, used as a thread's cache does.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "alloc/core/central.h"
#include "test/os/fake_process.h"
#include "test/os/faulty_memory.h"

namespace spillway::core::testing {

namespace faulty = os::faulty;

inline constexpr ClassIndex kIndex{2};

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
    os::fake::reset();
  }
  CentralFixture(const CentralFixture&) = delete;
  CentralFixture& operator=(const CentralFixture&) = delete;

  // From wherever there is something; fresh blocks before shared ones for who keeps apart.
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

inline size_t distance(const void* from, const void* to) {
  return reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from);
}

// State bytes of 20 KiB blocks: 13 start in the first line.
inline constexpr uint32_t kFirstGroup = 13;

}  // namespace spillway::core::testing
