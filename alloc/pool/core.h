// SPDX-License-Identifier: MIT
// Behind a pool: an engine, records of its blocks, tenants, regions, counters. Lives until the pool
// is gone, no thread has a cache of it and no buffer is left.
//
//   create ---- open ---- close() ---- last thread's cache back ---- last buffer back: gone
//                          |  free memory goes     |  buffers in use are counted
//                          |  unless it is pinned
//
// While threads have caches, the number of blocks in use is spread over them. The pool's owner
// holds a reference, each thread with a cache does and, for a moment, a thread that works without.
// When the last one is dropped no thread moves blocks any more, so that the rest can be counted
// once. Buffers that come back after close() count themselves off.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "alloc/base/attributes.h"
#include "alloc/core/engine.h"
#include "alloc/core/purge_turns.h"
#include "alloc/core/slot_store.h"
#include "alloc/pool/record.h"
#include "alloc/pool/regions.h"
#include "alloc/pool/tenants.h"
#include "alloc/pool/thread_table.h"
#include "alloc/pool/watch.h"
#include "spillway/pool.h"

namespace spillway::pool {

class Core {
 public:
  static expected<Core*, std::string> create(const PoolConfig& config);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // --- buffers -----------------------------------------------------------------------------------

  // A request for a buffer.
  struct Wish {
    size_t size;
    TenantRecord* tenant;
    bool zeroed = false;
    bool whole_class = false;  // the size is the capacity
    bool empty = false;        // the size is 0
  };
  SPILLWAY_ALWAYS_INLINE expected<Buffer, PoolError> try_make(Wish wish);
  // Unpooled when it must be; without memory when there is none.
  SPILLWAY_ALWAYS_INLINE Buffer make(Wish wish);

  // The same for the owner of a buffer, which may have outlived the pool: then unpooled.
  Buffer make_for_owner(Wish wish);

  // The end of a block that is no longer used; `tenant` may be null.
  SPILLWAY_ALWAYS_INLINE void give_back(std::byte* start, TenantRecord* tenant);

  bool is_pooled(const std::byte* start) const { return engine_.arena().owns(start); }
  // The start of the block in use that `data` is in; of an unpooled one only its start leads there.
  std::byte* start_of(void* data);
  size_t capacity_of(std::byte* start) const {
    const core::Arena& arena = engine_.arena();
    const size_t offset = arena.offset(start);
    return offset < arena.bytes() ? engine_.geometry().classes[arena.span_at(offset) + 1].block_size
                                  : Unpooled::of(start).capacity;
  }
  Record& record_of(std::byte* start) const {
    const core::Arena& arena = engine_.arena();
    const size_t offset = arena.offset(start);
    return offset < arena.bytes() ? records_[offset >> arena.granule_shift()]
                                  : Unpooled::of(start).record;
  }
  // Whether a block is in use and not on its way back.
  bool is_live(std::byte* start) const;
  [[noreturn]] void report_second_return(const std::byte* start) const;
  // Watch::describe() of the pool that owns an address, if one does.
  static void describe(const void* address);

  // --- the rest of the pool ----------------------------------------------------------------------

  void flush();
  size_t purge();
  PoolStatistics statistics() const;
  // Of the class of this number, from 0 on, without its name. Allocates nothing.
  PoolClassStatistics class_statistics(size_t number) const;
  const PoolConfig& config() const { return config_; }
  Tenants& tenants() { return tenants_; }
  Regions& regions() { return regions_; }

  // The owner leaves.
  void close();

 private:
  explicit Core(const PoolConfig& config);
  ~Core() = default;

  // relaxed: references and outstanding_ decide what becomes of a block; a thread that sees the end
  // late moves it as before.
  bool is_closed() const { return closed_.load(std::memory_order_relaxed); }
  // False when the last one was dropped already.
  bool add_reference();
  void drop_reference();

  // The calling thread's entry, given a cache if it has none; null when it is to do without. Cold.
  ThreadEntry* attach_thread();
  // Gives the thread's cache back, if it has one.
  void detach_thread();
  // The same for all pools whose owners have closed them, and, at the thread's end, for all.
  static void detach_from_closed();
  static void detach_from_all(void* table_of_thread);
  static void detach(ThreadEntry& entry);

  PoolClassStatistics class_statistics(const stats::Snapshot& snapshot, uint32_t index) const;
  std::optional<std::string> start();
  bool prefill();
  // The three moments of a fork.
  static void register_fork_handlers();
  static void lock_all();
  static void unlock_all();
  static void recover_after_fork();

  ClassIndex class_for(size_t size) const {
    uint32_t number = first_class_[std::bit_width(size)];
    while (sizes_[number] < size) {
      ++number;
    }
    return ClassIndex{static_cast<uint8_t>(number)};
  }
  SPILLWAY_ALWAYS_INLINE std::byte* take(ClassIndex index);
  SPILLWAY_NOINLINE std::byte* take_slow(ClassIndex index);
  // `state`: the block's new one, which says whether it reads as zero.
  SPILLWAY_NOINLINE void give_slow(std::byte* start, core::SlotState state);
  SPILLWAY_NOINLINE void give_closed(std::byte* start);
  // A block of a class, marked live.
  struct Pooled {
    std::byte* start = nullptr;
    size_t capacity = 0;
    ClassIndex index = kNoClass;
    bool clean = false;  // reads as zero
  };
  SPILLWAY_ALWAYS_INLINE bool obtain(const Wish& wish, Pooled& pooled);
  SPILLWAY_ALWAYS_INLINE Buffer dress(const Pooled& pooled, Wish wish);
  // Cold functions take values, so that the fast paths keep theirs in registers.
  SPILLWAY_NOINLINE Buffer make_unpooled(Wish wish, Pooled pooled);
  SPILLWAY_NOINLINE expected<Buffer, PoolError> try_make_unpooled(Wish wish, Pooled pooled);
  std::optional<PoolError> why_not(size_t size, Pooled pooled);
  // Counts, and adds the region of, a block whose memory was not used before. `zeroed`: its user
  // may rely on its zeros.
  SPILLWAY_NOINLINE bool note_created(ClassIndex index, std::byte* start, bool zeroed);
  core::StateByte& state_of(const std::byte* start) const {
    const core::Arena& arena = engine_.arena();
    return arena.state(arena.granule_at(arena.offset(start)));
  }
  SPILLWAY_NOINLINE Buffer make_from_heap(Wish wish);
  SPILLWAY_NOINLINE void free_unpooled(std::byte* start);
  // Blocks that wait in `watch_` go to the engine: all of a class, or its oldest; false when there
  // was none. The caller has a reference, or settles.
  void let_go_all(ClassIndex index);
  bool let_go_oldest(ClassIndex index);
  // Blocks in use; those in thread caches count, too.
  int64_t count_live() const;
  // After the last reference: buffers still in use decide.
  void settle();
  void count_off();
  void destroy();

  core::Engine<core::SlotStore> engine_;  // first: its arena is read on every return
  std::atomic<bool> closed_{false};
  uint32_t number_ = kMaxPools;
  uint32_t cache_buffers_ = 0;
  size_t largest_ = 0;
  size_t min_pooled_ = 0;
  bool pinned_ = false;
  Record* records_ = nullptr;
  size_t records_bytes_ = 0;
  uint32_t sizes_[kMaxClasses] = {};  // by class
  uint8_t first_class_[65] = {};      // by the bit width of a size: where to look from

  alignas(64) std::atomic<uint64_t> references_{1};
  // Blocks in use, once that is known; far above it until then.
  static constexpr int64_t kNotCounted = int64_t{1} << 60;
  std::atomic<int64_t> outstanding_{kNotCounted};
  std::atomic<int64_t> unpooled_live_{0};

  // relaxed, all of them: counts that order nothing.
  struct Counters {
    std::atomic<uint64_t> created{0};
    std::atomic<uint64_t> exhausted{0};
    uint64_t prefilled = 0;  // created, and allocated, for no request
  };
  Counters classes_[kMaxClasses];
  std::atomic<uint64_t> oversized_{0};
  std::atomic<uint64_t> unpooled_{0};

  core::PurgeTurns purge_turns_;
  Tenants tenants_;
  Regions regions_;
  const PoolConfig config_;
  // Null without a tool that wants to know of buffers. With it the pool has no thread caches.
  std::unique_ptr<Watch> watch_;
};

// RawBuffer::free_function; `hint` is the core.
void free_raw(void* data, void* hint);

// Numbers below which all pools in use are.
uint32_t max_used_number();

SPILLWAY_ALWAYS_INLINE std::byte* Core::take(ClassIndex index) {
  ThreadTable* const table = thread_table;
  if (table != nullptr) [[likely]] {
    ThreadEntry& entry = table->entries[number_];
    if (entry.core == this && !entry.thread_state.busy.get()) [[likely]] {
      const core::BusyScope busy(entry.thread_state);
      void* block = nullptr;
      if (entry.thread_state.table().of(index).pop(block)) [[likely]] {
        return static_cast<std::byte*>(block);
      }
    }
  }
  return take_slow(index);
}

SPILLWAY_ALWAYS_INLINE bool Core::obtain(const Wish& wish, Pooled& pooled) {
  if (wish.size > largest_ || wish.size < min_pooled_) [[unlikely]] {
    return false;
  }
  pooled.index = class_for(wish.size);
  pooled.start = take(pooled.index);
  if (pooled.start == nullptr) [[unlikely]] {
    return false;
  }
  core::StateByte& state = state_of(pooled.start);
  pooled.clean = state.load() == core::SlotState::kClean;
  pooled.capacity = sizes_[raw(pooled.index)];
  state.store(core::SlotState::kFirstLive);
  return !pooled.clean || note_created(pooled.index, pooled.start, wish.zeroed);
}

SPILLWAY_ALWAYS_INLINE Buffer Core::dress(const Pooled& pooled, Wish wish) {
  const size_t bytes = wish.whole_class ? pooled.capacity : wish.size;
  if (wish.zeroed && !pooled.clean) {
    std::memset(pooled.start, 0, bytes);
  }
  if (wish.tenant != nullptr) {
    wish.tenant->add(pooled.capacity);
  }
  return Buffer({this, pooled.start}, pooled.start, wish.empty ? 0 : bytes, pooled.capacity,
                wish.tenant);
}

SPILLWAY_ALWAYS_INLINE Buffer Core::make(Wish wish) {
  Pooled pooled;
  if (obtain(wish, pooled)) [[likely]] {
    return dress(pooled, wish);
  }
  return make_unpooled(wish, pooled);
}

SPILLWAY_ALWAYS_INLINE expected<Buffer, PoolError> Core::try_make(Wish wish) {
  Pooled pooled;
  if (obtain(wish, pooled)) [[likely]] {
    return dress(pooled, wish);
  }
  return try_make_unpooled(wish, pooled);
}

SPILLWAY_ALWAYS_INLINE void Core::give_back(std::byte* start, TenantRecord* tenant) {
  if (tenant != nullptr) [[unlikely]] {
    tenant->remove(capacity_of(start));
  }
  const core::Arena& arena = engine_.arena();
  const size_t offset = arena.offset(start);
  if (offset >= arena.bytes()) [[unlikely]] {
    return free_unpooled(start);
  }
  core::StateByte& state = arena.state(arena.granule_at(offset));
  if (state.load() != core::SlotState::kFirstLive) [[unlikely]] {
    report_second_return(start);
  }
  if (is_closed()) [[unlikely]] {
    return give_closed(start);
  }
  ThreadTable* const table = thread_table;
  if (table != nullptr) [[likely]] {
    ThreadEntry& entry = table->entries[number_];
    if (entry.core == this && !entry.thread_state.busy.get()) [[likely]] {
      const core::BusyScope busy(entry.thread_state);
      if (entry.thread_state.table().of_span(arena.span_at(offset)).push(start)) [[likely]] {
        state.store(core::SlotState::kFree);
        return;
      }
    }
  }
  give_slow(start, core::SlotState::kFree);
}

}  // namespace spillway::pool
