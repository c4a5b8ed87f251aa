// SPDX-License-Identifier: MIT
// Operations on the heap's engine, as threads, realloc and the scavenger make them, with a kernel
// that refuses now and then. No two live blocks overlap, contents stay, what is said to be clean
// reads as zero, and in the end everything is free.
#include <array>
#include <cstring>
#include <map>
#include <memory>

#include "alloc/core/scavenger.h"
#include "test/core/fixture.h"
#include "test/fuzz/input.h"
#include "test/fuzz/require.h"

namespace {

using namespace spillway;                 // NOLINT(google-build-using-namespace)
using namespace spillway::core;           // NOLINT(google-build-using-namespace)
using namespace spillway::core::testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kSlots = 48;
constexpr size_t kThreads = 3;
constexpr size_t kClassBytes = 128 * kMiB;  // enough for wide slots
constexpr int64_t kDelayMs = 500;
constexpr size_t kSample = 64;  // bytes at either end that are written and looked at

enum class Kind : uint8_t { kNone, kClass, kLarge, kWide };

struct Slot {
  char* block = nullptr;
  size_t size = 0;
  Kind kind = Kind::kNone;
  uint8_t mark = 0;
};

class Session {
 public:
  explicit Session(const uint8_t* data, size_t size)
      : input_(data, size), fixture_(engine_config<PageHeap>(kAmple, kClassBytes)) {
    FUZZ_REQUIRE(fixture_.started);
    os::fake::stop_clock();
    scavenger_.configure(kDelayMs);
  }

  void run() {
    while (!input_.done()) {
      step();
    }
    os::faulty::fail(os::faulty::Call::kCommit, 0, 0);
    os::faulty::fail(os::faulty::Call::kPurge, 0, 0);
    for (Slot& slot : slots_) {
      end(slot);
    }
    for (ThreadState& thread_state : thread_states_) {
      engine().detach(thread_state);
    }
    FUZZ_REQUIRE(fixture_.double_frees == 0);
    FUZZ_REQUIRE(fixture_.snapshot().pool_live_bytes == 0);
    FUZZ_REQUIRE(fixture_.snapshot().large_blocks == 0);
    FUZZ_REQUIRE(fixture_.everything_is_free());
  }

 private:
  Engine<PageHeap>& engine() { return fixture_.engine; }
  PageHeap& store() { return fixture_.engine.store(); }
  ThreadState& thread() { return thread_states_[input_.byte() % kThreads]; }
  Slot& slot() { return slots_[input_.byte() % kSlots]; }
  size_t large_size() { return kMiB + 1 + size_t{input_.number(1 << 14)} * 4097; }

  void step() {
    switch (input_.byte() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        return make_class(slot());
      case 4:
      case 5:
      case 6:
        return end(slot());
      case 7:
        return make_large(slot());
      case 8:
        return make_wide(slot());
      case 9:
        return make_aligned(slot());
      case 10:
      case 11:
        return resize(slot());
      case 12:
        return serve_threads();
      case 13:
        return serve_scavenger();
      case 14:
        return refuse();
      default:
        return burst();
    }
  }

  ClassIndex index() {
    return ClassIndex{static_cast<uint8_t>(input_.byte() % kBlockSizes.size() + 1)};
  }

  // A block that was just taken, its state byte not live yet.
  void note(Slot& slot, void* block, size_t size, Kind kind, bool zero) {
    if (block == nullptr) {
      return;
    }
    fixture_.mark_live(block);
    slot = {static_cast<char*>(block), size, kind, static_cast<uint8_t>(++marks_)};
    insert(slot);
    if (zero) {
      for (size_t i = 0; i < kSample; ++i) {
        FUZZ_REQUIRE(slot.block[i] == 0 && slot.block[size - 1 - i] == 0 &&
                     slot.block[size / 2] == 0);
      }
    }
    write(slot);
  }
  void insert(const Slot& slot) {
    const auto [at, is_new] = live_.emplace(slot.block, slot.size);
    FUZZ_REQUIRE(is_new);
    const auto next = std::next(at);
    FUZZ_REQUIRE(next == live_.end() || slot.block + slot.size <= next->first);
    FUZZ_REQUIRE(at == live_.begin() || std::prev(at)->first + std::prev(at)->second <= slot.block);
  }
  static void write(const Slot& slot) {
    std::memset(slot.block, slot.mark, kSample);
    std::memset(slot.block + slot.size - kSample, slot.mark, kSample);
  }
  static void check(const Slot& slot, bool end_too = true) {
    for (size_t i = 0; i < kSample; ++i) {
      FUZZ_REQUIRE(static_cast<uint8_t>(slot.block[i]) == slot.mark);
      FUZZ_REQUIRE(!end_too || static_cast<uint8_t>(slot.block[slot.size - 1 - i]) == slot.mark);
    }
  }

  void make_class(Slot& slot) {
    const ClassIndex which = index();
    ThreadState& thread_state = thread();
    if (slot.block == nullptr) {
      void* const block = fixture_.take(thread_state, which);
      const bool zero = block != nullptr && fixture_.state_of(block).load() == SlotState::kClean;
      note(slot, block, engine().geometry().of(which).block_size, Kind::kClass, zero);
    }
  }
  void make_large(Slot& slot) {
    const size_t size = large_size();
    const bool zero = input_.byte() % 2 == 0;
    if (slot.block == nullptr) {
      void* const block = store().take_large(size, 1);
      if (block != nullptr && zero) {
        store().clear(block, size);
      }
      note(slot, block, size, Kind::kLarge, block != nullptr && zero);
    }
  }
  void make_wide(Slot& slot) {
    const size_t size = large_size();
    if (slot.block == nullptr && size <= store().wide().max_bytes()) {
      note(slot, store().wide().take(size), size, Kind::kWide, false);
    }
  }
  void make_aligned(Slot& slot) {
    const size_t alignment = kGranuleSize << input_.byte() % 10;
    const ClassIndex which = index();
    if (slot.block == nullptr) {
      void* const block = engine().take_aligned(which, alignment);
      FUZZ_REQUIRE(reinterpret_cast<uintptr_t>(block) % alignment == 0);
      note(slot, block, engine().geometry().of(which).block_size, Kind::kClass, false);
    }
  }

  void resize(Slot& slot) {
    const uint8_t to = input_.byte() % 5;
    const size_t size = to == 4 ? large_size() : kBlockSizes[to];
    if (slot.block == nullptr) {
      return;
    }
    check(slot);
    const size_t before = slot.size;
    if (slot.kind == Kind::kWide) {
      if (!store().wide().resize(slot.block, size)) {
        return;
      }
    } else {
      const ClassIndex which = to == 4 ? kNoClass : ClassIndex{static_cast<uint8_t>(to + 1)};
      if (!engine().resize(slot.block, which, size)) {
        return;
      }
      slot.kind = to == 4 ? Kind::kLarge : Kind::kClass;
    }
    live_.erase(slot.block);
    slot.size = size;
    insert(slot);
    check(slot, false);
    FUZZ_REQUIRE(size < before || static_cast<uint8_t>(slot.block[before - 1]) == slot.mark);
    write(slot);
  }

  void end(Slot& slot) {
    ThreadState& thread_state = thread();
    if (slot.block == nullptr) {
      return;
    }
    check(slot);
    live_.erase(slot.block);
    if (slot.kind == Kind::kClass) {
      fixture_.free(thread_state, slot.block);
    } else {
      fixture_.state_of(slot.block).store(SlotState::kFree);
      if (slot.kind == Kind::kWide) {
        store().wide().give(slot.block);
      } else {
        FUZZ_REQUIRE(store().give_large(slot.block));
      }
      scavenger_.note_large_free(engine(), slot.size);
    }
    slot = {};
  }

  // Blocks of one class through a thread's cache, faster than the clock goes.
  void burst() {
    const ClassIndex which = index();
    ThreadState& thread_state = thread();
    std::array<void*, 40> blocks{};
    const size_t count = input_.byte() % blocks.size();
    for (size_t i = 0; i < count; ++i) {
      blocks[i] = fixture_.allocate(thread_state, which);
    }
    for (size_t i = 0; i < count; ++i) {
      if (blocks[i] != nullptr) {
        fixture_.free(thread_state, blocks[i]);
      }
    }
  }

  void serve_threads() {
    ThreadState& thread_state = thread();
    switch (input_.byte() % 5) {
      case 0:
        engine().attach(thread_state);
        engine().allow_draining(thread_state);
        return;
      case 1:
        engine().detach(thread_state);
        thread_state.bins.set(const_cast<BinTable*>(&kNoCacheYet));  // another thread
        return;
      case 2:
        return engine().flush(thread_state);
      case 3:
        return meter(thread_state);
      default:
        static_cast<void>(fixture_.snapshot());
    }
  }

  void meter(ThreadState& thread_state) {
    constexpr Metering kReasons[] = {Metering::kForScavenger, Metering::kForSamples,
                                     Metering::kForTenant};
    const uint8_t byte = input_.byte();
    const Metering reason = kReasons[byte / 8 % std::size(kReasons)];
    switch (byte % 4) {
      case 0:
      case 1:
        static_cast<void>(engine().meter(thread_state, reason, byte % 2 == 0));
        return;
      case 2:
        return engine().meter_all(reason, byte % 8 < 4);
      default:
        return engine().meter_all_now(reason);
    }
  }

  void serve_scavenger() {
    os::fake::advance_clock(uint64_t{input_.byte()} * 4'000'000);
    switch (input_.byte() % 4) {
      case 0:
        scavenger_.purge_everything(engine());
        return;
      case 1:
        scavenger_.balance(engine());
        return;
      default:
        scavenger_.run(engine());
    }
  }

  void refuse() {
    const auto call = input_.byte() % 2 == 0 ? os::faulty::Call::kCommit : os::faulty::Call::kPurge;
    const uint64_t successes = input_.byte() % 4;
    os::faulty::fail(call, successes, input_.byte() % 4);
  }

  fuzz::Input input_;
  EngineFixture<PageHeap> fixture_;
  Scavenger scavenger_;
  std::array<ThreadState, kThreads> thread_states_{new_state(), new_state(), new_state()};
  std::array<Slot, kSlots> slots_;
  std::map<char*, size_t> live_;
  uint32_t marks_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::make_unique<Session>(data, size)->run();
  return 0;
}
