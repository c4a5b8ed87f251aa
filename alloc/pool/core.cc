// SPDX-License-Identifier: MIT
#include "alloc/pool/core.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>

#include "alloc/base/bits.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"
#include "alloc/pool/classes.h"

namespace spillway::pool {

std::byte* Core::take_slow(ClassIndex index) {
  ThreadEntry* entry = thread_table != nullptr ? &thread_table->entries[number_] : nullptr;
  if (entry == nullptr || entry->core != this) {
    entry = attach_thread();
  }
  auto moment = core::ThreadState::without_cache();
  core::ThreadState& thread_state = entry != nullptr ? entry->thread_state : moment;
  // A purge takes buffers out of the freelist while it gives their memory back: until it returns
  // them, the class is not exhausted.
  std::optional<os::BoundedWait> wait;
  for (;;) {
    const uint64_t before = purge_turns_.progress();
    auto* const block = static_cast<std::byte*>(engine_.take(thread_state, index));
    if (watch_ != nullptr && block != nullptr) {
      watch_->note_taken(index, block, state_of(block).load() == core::SlotState::kClean);
    } else if (watch_ != nullptr && let_go_oldest(index)) {
      continue;
    }
    if (block != nullptr || !purge_turns_.ran_since(before)) {
      return block;
    }
    if (!wait.has_value()) {
      constexpr uint64_t kSecondNs = 1'000'000'000;
      wait.emplace(kSecondNs);
    }
    if (!wait->pause()) {
      return nullptr;
    }
  }
}

void Core::give_slow(std::byte* start, core::SlotState state) {
  ThreadEntry* entry = thread_table != nullptr ? &thread_table->entries[number_] : nullptr;
  if (entry == nullptr || entry->core != this) {
    entry = attach_thread();
  }
  const core::Arena& arena = engine_.arena();
  const ClassIndex index = arena.class_of(arena.granule_at(arena.offset(start)));
  if (entry != nullptr) {
    state_of(start).store(state);
    engine_.give(entry->thread_state, index, start);
  } else if (add_reference()) {
    std::byte* leaves = start;
    if (watch_ == nullptr) {
      state_of(start).store(state);
    } else if (state_of(start).exchange(state) != core::SlotState::kFirstLive) {
      report_second_return(start);
    } else {
      watch_->note_returned(index, start);
      leaves = watch_->hold_back(index, start);
    }
    if (leaves != nullptr) {
      auto moment = core::ThreadState::without_cache();
      engine_.give(moment, index, leaves);
    }
    drop_reference();
  } else {
    give_closed(start);
  }
}

void Core::give_closed(std::byte* start) {
  // Counted off by two threads that both return it, the last buffer but one would end the pool.
  if (state_of(start).exchange(core::SlotState::kFree) != core::SlotState::kFirstLive) {
    report_second_return(start);
  }
  if (watch_ != nullptr) {
    const core::Arena& arena = engine_.arena();
    watch_->note_returned(arena.class_of(arena.granule_at(arena.offset(start))), start);
  }
  // No thread will use it again: the whole pages in it go now, the rest with the pool. What devices
  // know of stays until then.
  const size_t page = os::page_size();
  const uintptr_t address = reinterpret_cast<uintptr_t>(start);
  const uintptr_t low = align_up(address, page);
  const uintptr_t high = align_down(address + capacity_of(start), page);
  if (low < high && !pinned_) {
    const os::ErrnoKeeper keeper;
    static_cast<void>(os::purge(reinterpret_cast<void*>(low), high - low));
  }
  count_off();
}

std::byte* Core::start_of(void* data) {
  auto* const byte = static_cast<std::byte*>(data);
  if (!is_pooled(byte)) {
    return byte;
  }
  const core::Arena& arena = engine_.arena();
  return static_cast<std::byte*>(engine_.store().block_of(arena.granule_at(arena.offset(byte))));
}

bool Core::is_live(std::byte* start) const {
  return engine_.arena().owns(start)
             ? state_of(start).load() == core::SlotState::kFirstLive
             : Unpooled::of(start).mark.load(std::memory_order_relaxed) == Unpooled::kLive;
}

void Core::report_second_return(const std::byte* start) const {
  os::Message message;
  message.line().text("buffer ").address(start).text(" given back twice");
  if (engine_.arena().owns(start)) {
    message.line().text(", of the ").number(capacity_of(const_cast<std::byte*>(start)));
    message.line().text("-byte class");
  }
  message.send();
  if (watch_ != nullptr) {
    watch_->report_second_return(start);
  }
  os::abort_process();
}

bool Core::note_created(ClassIndex index, std::byte* start, bool zeroed) {
  if (watch_ != nullptr && !zeroed) {
    watch_->note_unspecified(index, start);
  }
  if (pinned_ && !regions_.add_for(start)) {
    give_slow(start, core::SlotState::kClean);
    return false;
  }
  classes_[raw(index)].created.fetch_add(1, std::memory_order_relaxed);
  return true;
}

Buffer Core::make_unpooled(Wish wish, Pooled pooled) {
  static_cast<void>(why_not(wish.size, pooled));
  return make_from_heap(wish);
}

expected<Buffer, PoolError> Core::try_make_unpooled(Wish wish, Pooled pooled) {
  const std::optional<PoolError> error = why_not(wish.size, pooled);
  if (error.has_value()) {
    return unexpected(*error);
  }
  Buffer buffer = make_from_heap(wish);
  if (!buffer) {
    return unexpected(PoolError::kNoMemory);
  }
  return buffer;
}

Buffer Core::make_for_owner(Wish wish) {
  if (!add_reference()) {
    Buffer buffer = make_from_heap(wish);
    if (buffer) {
      // Counted off like those that were there at the end. The caller's own buffer keeps the core.
      unpooled_live_.fetch_sub(1, std::memory_order_relaxed);
      outstanding_.fetch_add(1, std::memory_order_relaxed);
    }
    return buffer;
  }
  Buffer buffer = is_closed() ? make_from_heap(wish) : make(wish);
  drop_reference();
  return buffer;
}

// Why there is no pooled buffer, counted; nothing when the request is too small for one.
std::optional<PoolError> Core::why_not(size_t size, Pooled pooled) {
  if (size > largest_) {
    oversized_.fetch_add(1, std::memory_order_relaxed);
    return PoolError::kOversized;
  }
  if (size < min_pooled_) {
    return std::nullopt;
  }
  // A class that has not handed out all of its slots was refused memory.
  if (pooled.start != nullptr || engine_.store().central(pooled.index).grown() <
                                     engine_.store().central(pooled.index).slots()) {
    return PoolError::kNoMemory;
  }
  classes_[raw(pooled.index)].exhausted.fetch_add(1, std::memory_order_relaxed);
  return PoolError::kExhausted;
}

Buffer Core::make_from_heap(Wish wish) {
  const size_t alignment = std::max(config_.alignment, alignof(std::max_align_t));
  const size_t before = align_up(sizeof(Unpooled), alignment);
  if (wish.size > PTRDIFF_MAX - before - alignment) {
    return {};
  }
  void* const allocation =
      std::aligned_alloc(alignment, align_up(before + std::max<size_t>(wish.size, 1), alignment));
  if (allocation == nullptr) {
    return {};
  }
  std::byte* const start = static_cast<std::byte*>(allocation) + before;
  auto* const header = ::new (start - sizeof(Unpooled)) Unpooled;
  header->allocation = allocation;
  header->capacity = wish.size;
  header->mark.store(Unpooled::kLive, std::memory_order_relaxed);
  unpooled_.fetch_add(1, std::memory_order_relaxed);
  unpooled_live_.fetch_add(1, std::memory_order_relaxed);
  if (wish.zeroed) {
    std::memset(start, 0, wish.size);
  }
  if (wish.tenant != nullptr) {
    wish.tenant->add(wish.size);
  }
  return Buffer({this, start}, start, wish.empty ? 0 : wish.size, wish.size, wish.tenant);
}

void Core::free_unpooled(std::byte* start) {
  Unpooled& header = Unpooled::of(start);
  // relaxed: two threads that return one block are both wrong; one of them is told.
  if (header.mark.exchange(Unpooled::kDead, std::memory_order_relaxed) != Unpooled::kLive) {
    report_second_return(start);
  }
  std::free(header.allocation);
  if (add_reference()) {
    // release, by drop_reference(): settle() reads it.
    unpooled_live_.fetch_sub(1, std::memory_order_relaxed);
    drop_reference();
  } else {
    count_off();
  }
}

bool Core::let_go_oldest(ClassIndex index) {
  std::byte* const oldest = watch_->let_go(index);
  if (oldest != nullptr) {
    auto moment = core::ThreadState::without_cache();
    engine_.give(moment, index, oldest);
  }
  return oldest != nullptr;
}

void Core::let_go_all(ClassIndex index) {
  while (watch_ != nullptr && let_go_oldest(index)) {
  }
}

void Core::flush() {
  if (thread_table != nullptr) {
    ThreadEntry& entry = thread_table->entries[number_];
    if (entry.core == this) {
      engine_.flush(entry.thread_state);
    }
  }
}

size_t Core::purge() {
  constexpr uint64_t kMaxStepBytes = 16 * kMiB;
  core::PurgeTurns::Turn turn(purge_turns_);
  if (pinned_) {
    return 0;
  }
  turn.wait();
  // Twice: a thread's cache is idle when nothing happened since the last call.
  for (int i = 0; i < 2 && turn.held(); ++i) {
    engine_.relax_caches();
  }
  uint64_t purged = 0;
  bool refused = false;
  for (uint32_t i = 1; i <= engine_.geometry().class_count; ++i) {
    let_go_all(ClassIndex{static_cast<uint8_t>(i)});
    uint32_t cursor = 0;
    uint64_t step = 1;
    while (!refused && turn.keep() && (step != 0 || cursor != 0)) {
      step = engine_.store().purge(ClassIndex{static_cast<uint8_t>(i)}, cursor, kMaxStepBytes,
                                   refused);
      purged += step;
    }
  }
  return purged;
}

PoolClassStatistics Core::class_statistics(const stats::Snapshot& snapshot, uint32_t index) const {
  const stats::ClassSnapshot& from = snapshot.classes[index];
  PoolClassStatistics one;
  one.size = from.block_size;
  // The subset first: it does not become larger than the whole meanwhile.
  one.created = classes_[index].created.load(std::memory_order_relaxed);
  const uint64_t prefilled = classes_[index].prefilled;
  one.allocations = std::max(from.allocations_total, one.created) - prefilled;
  one.hits = one.allocations - (one.created - prefilled);
  one.exhausted = classes_[index].exhausted.load(std::memory_order_relaxed);
  const uint64_t waiting =
      watch_ != nullptr ? watch_->waiting(ClassIndex{static_cast<uint8_t>(index)}) : 0;
  one.live = from.live - std::min(from.live, waiting);
  one.cached = from.cached;
  one.free = from.free + waiting;
  return one;
}

PoolClassStatistics Core::class_statistics(size_t number) const {
  stats::Snapshot snapshot;
  engine_.collect(snapshot);
  return class_statistics(snapshot, static_cast<uint32_t>(number) + 1);
}

PoolStatistics Core::statistics() const {
  stats::Snapshot snapshot;
  engine_.collect(snapshot);
  PoolStatistics all;
  for (uint32_t i = 1; i <= snapshot.class_count; ++i) {
    PoolClassStatistics& one = all.classes.emplace_back(class_statistics(snapshot, i));
    one.name = class_name(config_, i - 1, one.size);
    all.allocations += one.allocations;
    all.recycles += one.hits;
  }
  all.oversized = oversized_.load(std::memory_order_relaxed);
  all.unpooled = unpooled_.load(std::memory_order_relaxed);
  all.allocations += all.unpooled;
  all.misses = all.allocations - all.recycles;
  all.tenants = tenants_.usages();
  for (const TenantUsage& tenant : all.tenants) {
    all.live_bytes += tenant.live_bytes;
  }
  return all;
}

}  // namespace spillway::pool
