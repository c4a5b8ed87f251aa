// Engines with large blocks; most have one span of eight slots of 4 MiB.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "alloc/core/large_blocks.h"
#include "test/core/fixture.h"

namespace spillway::core::testing {

namespace faulty = os::faulty;
using Use = LargeBlocks::Use;
inline constexpr size_t kSlot = 4 * kMiB;
inline constexpr uint32_t kSlots = 8;

inline Engine::Config large_config(size_t span_bytes, uint32_t spans) {
  Engine::Config config = engine_config(kAmple, span_bytes);
  config.large_spans = spans;
  return config;
}

struct LargeFixture : EngineFixture {
  explicit LargeFixture(size_t span_bytes = 32 * kMiB, uint32_t spans = 1)
      : EngineFixture(large_config(span_bytes, spans)) {
    BOOST_REQUIRE(started);
  }
  // A live block; may be null.
  void* get(size_t size, Use use = Use::kAny, bool aligned = false) {
    void* block = large.take(size, use, aligned);
    if (block != nullptr) {
      mark_live(block);
    }
    return block;
  }
  // One of which all that may be used is written to.
  void* get_dirty(size_t size, Use use = Use::kAny) {
    void* block = get(size, use);
    BOOST_REQUIRE(block != nullptr);
    fill(block);
    return block;
  }
  void give(void* block) {
    state_of(block).store(SlotState::kFree);
    large.give(block);
  }
  void fill(void* block) { std::memset(block, 0x5a, large.usable(block)); }
  static bool holds(const void* block, size_t from, size_t to, char value) {
    const auto* bytes = static_cast<const char*>(block);
    return std::all_of(bytes + from, bytes + to, [value](char byte) { return byte == value; });
  }
  uint64_t free_bytes() const { return snapshot().large_free_bytes; }
  uint64_t live_bytes() const { return snapshot().large_live_bytes; }
  uint64_t purge_old() { return large.purge_old(go_on, refused); }
  void purge_all() { large.purge_all(go_on, refused); }
  bool in_same_slot(const void* one, const void* other) const {
    const auto start = [this](const void* block) {
      return raw(large.slot_start(engine.arena().granule_at(engine.arena().offset(block))));
    };
    return start(one) == start(other);
  }

  LargeBlocks& large = engine.large();
  const std::atomic<bool> go_on{false};
  bool refused = false;
};
struct ShortSpan : LargeFixture {
  ShortSpan() : LargeFixture(16 * kMiB) {}
};
struct LongSpans : LargeFixture {
  LongSpans() : LargeFixture(4 * kGiB, 2) {}
};
struct ManySlots : LargeFixture {
  ManySlots() : LargeFixture(256 * kMiB, 2) {}
};
struct NoSpan : LargeFixture {
  NoSpan() : LargeFixture(32 * kMiB, 0) {}
};

}  // namespace spillway::core::testing
