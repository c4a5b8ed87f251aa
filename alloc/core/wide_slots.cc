// SPDX-License-Identifier: MIT
#include "alloc/core/wide_slots.h"

#include <algorithm>
#include <bit>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

constexpr size_t kMaxSlot = 64 * kMiB;
constexpr size_t kMinSlot = 4 * kMiB;
constexpr size_t kMinSlots = 8;
constexpr size_t kEnoughSlots = 256;
constexpr uint32_t kLists = 2;
constexpr size_t kMinCommit = 2 * kMiB;
// Free slots that a search compares.
constexpr uint32_t kMaxLooks = 32;

}  // namespace

size_t WideSlots::slot_bytes(size_t area) {
  return std::bit_floor(std::clamp(area / kEnoughSlots, kMinSlot, kMaxSlot));
}

size_t WideSlots::area_bytes(size_t max_bytes) {
  const size_t slot = slot_bytes(max_bytes);
  return max_bytes / slot < kMinSlots ? 0 : align_down(max_bytes, slot);
}

size_t WideSlots::bytes_needed(size_t area) {
  const auto count = static_cast<uint32_t>(area / slot_bytes(area));
  return count == 0 ? 0
                    : kLists * Freelist::bytes_needed(count) +
                          align_up(count * sizeof(Slot), sizeof(uint64_t));
}

void WideSlots::attach(HeapArena& arena, Granule first, size_t area, void* memory) {
  arena_ = &arena;
  first_offset_ = size_t{raw(first)} << kGranuleShift;
  if (area == 0) {
    return;
  }
  clock_.store(1, std::memory_order_relaxed);  // read by purges, which begin after the start
  first_granule_ = raw(first);
  slot_granules_ = granules_for(slot_bytes(area));
  slot_shift_ = static_cast<unsigned>(std::countr_zero(slot_granules_));
  slot_count_ = static_cast<uint32_t>(area / slot_bytes(area));
  uint32_t lane = 0;
  for (Freelist* list : {&dirty_, &clean_}) {
    list->attach(memory, slot_count_, kLists, lane++);
  }
  slots_ = reinterpret_cast<Slot*>(static_cast<char*>(memory) +
                                   kLists * Freelist::bytes_needed(slot_count_));
  // A granule stays for the colour.
  max_bytes_ = size_t{slot_granules_ - 1} << kGranuleShift;
}

void* WideSlots::take(size_t size) {
  if (size > max_bytes_) {
    return nullptr;
  }
  const uint32_t max_granules = granules_for(size) + 1;  // wherever the colour puts it
  uint32_t number = take_with_memory(max_granules);
  number = committed(number != kNone ? number : take_untouched(), max_granules);
  if (number == kNone) {
    return nullptr;
  }
  Slot& taken = slot(number);
  extend(taken, granules_for(colour_of(number) + size));
  // release: after the block, for collect(), which acquires.
  taken.allocations.store(taken.allocations.load(std::memory_order_relaxed) + 1,
                          std::memory_order_release);
  return static_cast<char*>(arena_->address(start_of(number))) + colour_of(number);
}

void WideSlots::extend(Slot& slot, uint32_t granules) {
  slot.granules.store(granules, std::memory_order_relaxed);
  const uint32_t resident = slot.resident.load(std::memory_order_relaxed);
  if (granules > resident) {
    slot.resident.store(granules, std::memory_order_relaxed);
    touched_bytes_.fetch_add(uint64_t{granules - resident} << kGranuleShift,
                             std::memory_order_relaxed);
  }
}

// Of some free slots the one whose memory fits best: the least that is enough, otherwise the most
// there is.
uint32_t WideSlots::best_with_memory(uint32_t granules) {
  uint32_t best = kNone;
  uint32_t best_resident = 0;
  SlotIndex index = dirty_.next_slot(SlotIndex{0});
  for (uint32_t looks = 0; index != Freelist::kNoSlot && looks < kMaxLooks; ++looks) {
    const uint32_t resident = slot(raw(index)).resident.load(std::memory_order_relaxed);
    const bool enough = resident >= granules;
    const bool better = best == kNone               ? true
                        : best_resident >= granules ? enough && resident < best_resident
                                                    : resident > best_resident;
    if (better) {
      best = raw(index);
      best_resident = resident;
    }
    index = dirty_.next_slot(SlotIndex{raw(index) + 1});
  }
  return best;
}

uint32_t WideSlots::take_with_memory(uint32_t granules) {
  for (;;) {
    const uint32_t best = best_with_memory(granules);
    if (best == kNone || dirty_.take_slot(SlotIndex{best})) {
      return best;
    }
  }
}

uint32_t WideSlots::take_untouched() {
  uint32_t hint = 0;
  SlotIndex index;
  if (clean_.take(hint, &index, 1) != 0) {
    return raw(index);
  }
  uint32_t number = used_.load(std::memory_order_relaxed);
  do {
    if (number >= slot_count_) {
      return kNone;
    }
    // relaxed: nothing was written to the slot; the thread that gets the number owns it.
  } while (!used_.compare_exchange_weak(number, number + 1, std::memory_order_relaxed));
  return number;
}

// The whole slot, so that slots in use are one mapping, whatever their blocks do; where the kernel
// counts what is committed, or makes it resident, as much as is needed.
bool WideSlots::commit_more(uint32_t number, uint32_t granules) {
  const Range::Growing growing(*arena_);
  if (!growing.allowed()) {
    return false;
  }
  uint32_t target = slot_granules_;
  if (arena_->commits_exactly() || !arena_->commit(start_of(number), target)) {
    target = std::min(slot_granules_, std::bit_ceil(std::max(granules, granules_for(kMinCommit))));
    if (!arena_->commit(start_of(number), target)) {
      return false;
    }
  }
  slot(number).committed.store(target, std::memory_order_relaxed);
  return true;
}

uint32_t WideSlots::committed(uint32_t number, uint32_t granules) {
  if (number == kNone || commit(number, granules)) {
    return number;
  }
  put_back(number);
  return kNone;
}

void WideSlots::put_back(uint32_t number) {
  const bool clean = slot(number).resident.load(std::memory_order_relaxed) == 0;
  const SlotIndex index{number};
  uint32_t hint = 0;
  static_cast<void>((clean ? clean_ : dirty_).put(hint, &index, 1));
}

void WideSlots::give(void* block) {
  const uint32_t number = number_of(block);
  Slot& freed = slot(number);
  freed.freed_at.store(clock_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  freed.granules.store(0, std::memory_order_relaxed);
  const SlotIndex index{number};
  uint32_t hint = 0;
  static_cast<void>(dirty_.put(hint, &index, 1));
}

bool WideSlots::resize_slot(uint32_t number, uint32_t granules) {
  if (granules > slot_granules_ || !commit(number, granules)) {
    return false;
  }
  Slot& resized = slot(number);
  const bool shrinks = granules < resized.granules.load(std::memory_order_relaxed);
  extend(resized, granules);
  if (shrinks && has_long_tail(granules, resized.resident.load(std::memory_order_relaxed))) {
    static_cast<void>(purge_slot(number, granules));  // refused: it stays until the block is freed
  }
  return true;
}

bool WideSlots::purge_slot(uint32_t number, uint32_t keep_granules) {
  Slot& purged = slot(number);
  const auto page = static_cast<uint32_t>(os::page_size() >> kGranuleShift);
  const auto keep = static_cast<uint32_t>(align_up(keep_granules, page));
  const uint32_t resident = purged.resident.load(std::memory_order_relaxed);
  if (resident <= keep) {
    return true;
  }
  // A huge page at the end has memory beyond what was asked for.
  const auto huge = static_cast<uint32_t>(Range::kAlignment >> kGranuleShift);
  const auto end = std::min(static_cast<uint32_t>(align_up(resident, huge)),
                            purged.committed.load(std::memory_order_relaxed));
  const auto last = static_cast<uint32_t>(align_up(resident, page));
  if (!arena_->purge(Granule{raw(start_of(number)) + keep}, std::max(end, last) - keep)) {
    return false;
  }
  purged.resident.store(keep, std::memory_order_relaxed);
  purged_bytes_.fetch_add(uint64_t{resident - keep} << kGranuleShift, std::memory_order_relaxed);
  return true;
}

uint64_t WideSlots::purge_free(uint32_t newest, const std::atomic<bool>& stop, bool& refused) {
  uint64_t left = 0;
  dirty_.for_each_slot([&](SlotIndex index) {
    const Slot& one = slot(raw(index));
    const uint32_t resident = one.resident.load(std::memory_order_relaxed);
    // relaxed: seen at the next slot otherwise.
    if (stop.load(std::memory_order_relaxed) ||
        one.freed_at.load(std::memory_order_relaxed) > newest || !dirty_.take_slot(index)) {
      left += uint64_t{resident} << kGranuleShift;
      return;
    }
    in_hand_.set(raw(index));
    const bool purged = purge_slot(raw(index), 0);
    if (purged) {
      arena_->state(start_of(raw(index))).store(SlotState::kClean);
    }
    refused = refused || !purged;
    left += purged ? 0 : uint64_t{resident} << kGranuleShift;
    // First: a child that is forked between the two loses the slot instead of having it twice.
    in_hand_.set(kNone);
    order_for_signals();
    uint32_t hint = 0;
    static_cast<void>((purged ? clean_ : dirty_).put(hint, &index, 1));
  });
  return left;
}

uint64_t WideSlots::purge_old(const std::atomic<bool>& stop, bool& refused) {
  if (used() == 0) {
    return 0;
  }
  // relaxed: only the scavenger moves it.
  const uint32_t now = clock_.fetch_add(1, std::memory_order_relaxed);
  return purge_free(now - 1, stop, refused);
}

void WideSlots::purge_all(const std::atomic<bool>& stop, bool& refused) {
  if (used() != 0) {
    purge_free(UINT32_MAX, stop, refused);
  }
}

void WideSlots::give_up_untouched() {
  for (uint32_t number = 0; number < slot_count_; ++number) {
    const uint32_t from =
        number < used() ? slot(number).committed.load(std::memory_order_relaxed) : 0;
    const uint32_t start = raw(start_of(number));
    // What lies behind the last slot that was used goes at once.
    const uint32_t end = number < used() ? start + slot_granules_ : raw(start_of(slot_count_));
    arena_->give_up(Granule{start + from}, Granule{end});
    if (number >= used()) {
      return;
    }
  }
}

uint64_t WideSlots::untouched_bytes() const {
  uint64_t granules = uint64_t{slot_count_} * slot_granules_;
  for (uint32_t number = 0; number < used(); ++number) {
    granules -= slot(number).committed.load(std::memory_order_relaxed);
  }
  return granules << kGranuleShift;
}

uint64_t WideSlots::free_bytes_up_to(uint64_t max_bytes) {
  uint64_t sum = 0;
  if (used() == 0) {
    return sum;
  }
  for (SlotIndex index = dirty_.next_slot(SlotIndex{0});
       index != Freelist::kNoSlot && sum < max_bytes;
       index = dirty_.next_slot(SlotIndex{raw(index) + 1})) {
    sum += uint64_t{slot(raw(index)).resident.load(std::memory_order_relaxed)} << kGranuleShift;
  }
  return sum;
}

void WideSlots::recover_after_fork(bool purge_was_ours) {
  if (used() == 0) {
    return;
  }
  if (in_hand_.get() != kNone && !purge_was_ours) {
    put_back(in_hand_.get());
    in_hand_.set(kNone);
  }
  dirty_.repair(used());
  clean_.repair(used());
}

void WideSlots::collect(stats::Snapshot& snapshot) const {
  for (uint32_t number = 0; number < used(); ++number) {
    const Slot& one = slot(number);
    // acquire: before the block, as in PageHeap::collect().
    const uint64_t allocations = one.allocations.load(std::memory_order_acquire);
    const uint64_t live = one.granules.load(std::memory_order_relaxed);
    const uint64_t resident = one.resident.load(std::memory_order_relaxed);
    const uint64_t blocks = live != 0 ? 1 : 0;
    snapshot.large_blocks += blocks;
    snapshot.large_live_bytes += live << kGranuleShift;
    snapshot.wide_live_bytes += live << kGranuleShift;
    snapshot.large_free_bytes += (resident - std::min(resident, live)) << kGranuleShift;
    snapshot.large_allocations_total += allocations;
    snapshot.large_frees_total += allocations - std::min(allocations, blocks);
  }
}

}  // namespace spillway::core
