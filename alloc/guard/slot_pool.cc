// SPDX-License-Identifier: MIT
#include "alloc/guard/slot_pool.h"

#include <algorithm>
#include <bit>

#include "alloc/base/bits.h"

namespace spillway::guard {
namespace {

// A region holds one of the largest slots at the least.
constexpr size_t kMinRegion = 128 * kMiB;
static_assert(kMinRegion >= kMaxPagedBytes + 64 * kKiB);
// arbitrary: so many places to shuffle slots in when no block has to wait.
constexpr uint32_t kMinShelf = 64;
// Small slots are made so many bytes at a time: bench_memory does not tell 16 KiB from 256.
constexpr size_t kGrownBytes = 64 * kKiB;
// Paged slots, with random placement: a slot's neighbours are chosen from so many. arbitrary.
constexpr uint32_t kShuffledSlots = 32;
// Slots get memory in the order of their addresses, so that the kernel has one mapping for all of
// them, but for those that are too long to give it to several at a time (mlockall makes it
// resident).
constexpr size_t kMaxAtOnce = 4 * kMiB;
bool is_lazy(const SlotClass& kind) { return kind.slot_bytes > kMaxAtOnce / 2; }
uint32_t batch_of(const SlotClass& kind, bool shuffled) {
  if (!kind.paged) {
    return static_cast<uint32_t>(kGrownBytes / kind.slot_bytes);
  }
  if (!shuffled) {
    return 1;
  }
  return is_lazy(kind)
             ? kShuffledSlots
             : std::min(kShuffledSlots, static_cast<uint32_t>(kMaxAtOnce / kind.slot_bytes));
}

}  // namespace

bool SlotPool::start(size_t region_bytes, const Parts& parts, Random& random, core::Range& gate) {
  gate_ = &gate;
  classes_.start(os::page_size());
  random_ = &random;
  random_placement_ = parts.random_placement;
  guard_pages_ = parts.guard_pages;
  shelf_slots_ = std::max(parts.quarantine, parts.random_placement ? kMinShelf : 0);
  const uint64_t left = os::address_space_left() / 4;
  for (size_t bytes = region_bytes; bytes >= kMinRegion; bytes /= 2) {
    if (bytes * classes_.count() <= left && reserve(bytes)) {
      return true;
    }
  }
  return false;
}

bool SlotPool::reserve(size_t region_bytes) {
  const size_t page = os::page_size();
  const auto entry_bytes = [&](uint32_t index) {
    return align_up(region_bytes / classes_[index].slot_bytes * sizeof(Entry), page);
  };
  const size_t shelf_bytes = shelf_slots_ * sizeof(std::atomic<uint32_t>);
  const size_t shelves_bytes = align_up(classes_.count() * shelf_bytes, page);
  table_bytes_ = shelves_bytes;
  for (uint32_t index = 0; index < classes_.count(); ++index) {
    table_bytes_ += entry_bytes(index);
  }
  const size_t bytes = region_bytes * classes_.count();
  void* const slots = os::reserve(bytes, os::Access::kNone, nullptr);
  table_ = slots != nullptr ? os::reserve(table_bytes_, os::Access::kRead, nullptr) : nullptr;
  if (table_ == nullptr || (shelves_bytes != 0 && !os::commit(table_, shelves_bytes))) {
    if (table_ != nullptr) {
      os::release(table_, table_bytes_);
    }
    if (slots != nullptr) {
      os::release(slots, bytes);
    }
    return false;
  }
  os::prefer_huge_pages(slots, bytes, false);
  auto* const shelves = static_cast<std::byte*>(table_);
  auto* next = shelves + shelves_bytes;
  for (uint32_t index = 0; index < classes_.count(); ++index) {
    Class& one = state_[index];
    one.max_slots = static_cast<uint32_t>(
        std::min<size_t>(region_bytes / classes_[index].slot_bytes, UINT32_MAX - 1));
    one.entries = reinterpret_cast<Entry*>(next);
    next += entry_bytes(index);
    one.shelf = reinterpret_cast<std::atomic<uint32_t>*>(shelves + index * shelf_bytes);
  }
  region_shift_ = static_cast<unsigned>(std::countr_zero(region_bytes));
  base_.set(reinterpret_cast<uintptr_t>(slots));
  // release: pairs with the acquire in owns(); all else is set.
  bytes_.set_release(bytes);
  return true;
}

void SlotPool::stop() {
  if (bytes_.get() == 0) {
    return;
  }
  os::release(reinterpret_cast<void*>(base_.get()), bytes_.get());
  os::release(table_, table_bytes_);
  // relaxed, all: no other thread uses the pool.
  bytes_.set(0);
  base_.set(0);
  given_up_.store(false, std::memory_order_relaxed);
  grown_small_bytes_.store(0, std::memory_order_relaxed);
  for (Class& one : state_) {
    one.free_list.store(0, std::memory_order_relaxed);
    one.made.store(0, std::memory_order_relaxed);
    one.turn.store(0, std::memory_order_relaxed);
  }
}

bool SlotPool::find(const void* pointer, SlotName& slot) const {
  const uintptr_t offset = reinterpret_cast<uintptr_t>(pointer) - base_.get();
  slot.class_index = static_cast<uint32_t>(offset >> region_shift_);
  const uintptr_t inside = offset & ((uintptr_t{1} << region_shift_) - 1);
  const size_t number = inside / classes_[slot.class_index].slot_bytes;
  slot.number = static_cast<uint32_t>(number);
  // relaxed: the thread that has the address has it from one that made the slot.
  return number < state_[slot.class_index].made.load(std::memory_order_relaxed);
}

bool SlotPool::take(uint32_t class_index, SlotName& slot) {
  if (!pop(class_index, slot) && !grow(class_index, slot) && !take_from_shelf(class_index, slot)) {
    return false;
  }
  // relaxed: the slot is this thread's.
  const bool was_used = SlotContents(contents(slot).load(std::memory_order_relaxed)).was_used();
  if (was_used || !is_lazy(classes_[class_index]) || commit_slot(slot)) {
    return true;
  }
  shelve(slot);
  return false;
}

void SlotPool::shelve(SlotName slot) {
  if (shelf_slots_ == 0) {
    return push(slot);
  }
  Class& one = state_[slot.class_index];
  // relaxed: a place, nothing more.
  const uint64_t place =
      random_placement_ ? random_->next() : one.turn.fetch_add(1, std::memory_order_relaxed);
  // acquire and release: what the thread before did to its slot is seen by the one that frees it.
  const uint32_t before =
      one.shelf[place % shelf_slots_].exchange(slot.number + 1, std::memory_order_acq_rel);
  if (before != kNoSlot) {
    push({slot.class_index, before - 1});
  }
}

bool SlotPool::take_from_shelf(uint32_t class_index, SlotName& slot) {
  Class& one = state_[class_index];
  const uint64_t first = random_placement_ ? random_->next() : 0;
  for (uint32_t i = 0; i < shelf_slots_; ++i) {
    const uint64_t place = (first + i) % shelf_slots_;
    // relaxed: a place that is filled meanwhile is another request's.
    if (one.shelf[place].load(std::memory_order_relaxed) == kNoSlot) {
      continue;
    }
    // acquire: as in shelve().
    const uint32_t found = one.shelf[place].exchange(kNoSlot, std::memory_order_acquire);
    if (found != kNoSlot) {
      slot = {class_index, found - 1};
      return true;
    }
  }
  return false;
}

// A stack. The count in the upper half changes with each change: a slot that was taken and came
// back is told from one that never left.
bool SlotPool::pop(uint32_t class_index, SlotName& slot) {
  Class& one = state_[class_index];
  // acquire: pairs with the release in push(); the slot's `next` is seen.
  uint64_t head = one.free_list.load(std::memory_order_acquire);
  for (;;) {
    const auto first = static_cast<uint32_t>(head);
    if (first == kNoSlot) {
      return false;
    }
    // relaxed: stale if another thread takes the slot, and then the exchange fails.
    const uint32_t next = one.entries[first - 1].next.load(std::memory_order_relaxed);
    const uint64_t wanted = ((head >> 32) + 1) << 32 | next;
    // acquire, both ways: as above.
    if (one.free_list.compare_exchange_weak(head, wanted, std::memory_order_acquire,
                                            std::memory_order_acquire)) {
      slot = {class_index, first - 1};
      return true;
    }
  }
}

void SlotPool::push(SlotName slot) {
  Class& one = state_[slot.class_index];
  // relaxed: the exchange checks it.
  uint64_t head = one.free_list.load(std::memory_order_relaxed);
  uint64_t wanted = 0;
  do {
    // relaxed: published by the exchange below.
    entry(slot).next.store(static_cast<uint32_t>(head), std::memory_order_relaxed);
    wanted = ((head >> 32) + 1) << 32 | (slot.number + 1);
    // release: pairs with the acquire in pop(). relaxed on failure: nothing is read through it.
  } while (!one.free_list.compare_exchange_weak(head, wanted, std::memory_order_release,
                                                std::memory_order_relaxed));
}

// Makes some slots and takes one of them, with random placement any one.
bool SlotPool::grow(uint32_t class_index, SlotName& slot) {
  const core::Range::Growing growing(*gate_);
  if (!growing.allowed()) {
    return false;
  }
  Class& one = state_[class_index];
  const SlotClass& kind = classes_[class_index];
  uint32_t count = batch_of(kind, random_placement_);
  // relaxed, here and in the exchanges: a slot's number; nothing is read through it.
  uint32_t first = one.made.load(std::memory_order_relaxed);
  do {
    count = std::min(count, one.max_slots - first);
    if (count == 0) {
      return false;
    }
  } while (!one.made.compare_exchange_weak(first, first + count, std::memory_order_relaxed,
                                           std::memory_order_relaxed));
  if (!commit_batch(class_index, first, count)) {
    // Given back unless another thread made more meanwhile: then these are lost, addresses only.
    uint32_t made = first + count;
    one.made.compare_exchange_strong(made, first, std::memory_order_relaxed,
                                     std::memory_order_relaxed);
    return false;
  }
  if (!kind.paged) {
    // relaxed: a count.
    grown_small_bytes_.fetch_add(count * kind.slot_bytes, std::memory_order_relaxed);
  }
  const auto taken =
      random_placement_ ? static_cast<uint32_t>(random_->next() % count) : uint32_t{0};
  slot = {class_index, first + taken};
  for (uint32_t i = count; i-- != 0;) {
    if (i != taken) {
      random_placement_ ? shelve({class_index, first + i}) : push({class_index, first + i});
    }
  }
  return true;
}

namespace {

bool commit_around(uintptr_t start, uintptr_t end) {
  const size_t page = os::page_size();
  start = align_down(start, page);
  return os::commit(reinterpret_cast<void*>(start), align_up(end, page) - start);
}

}  // namespace

// Their entries and, but for lazy ones, their memory.
bool SlotPool::commit_batch(uint32_t class_index, uint32_t first, uint32_t count) {
  const SlotClass& kind = classes_[class_index];
  const auto entries = reinterpret_cast<uintptr_t>(state_[class_index].entries);
  const auto slots = reinterpret_cast<uintptr_t>(address({class_index, first}));
  if (!commit_around(entries + first * sizeof(Entry), entries + (first + count) * sizeof(Entry))) {
    return false;
  }
  if (is_lazy(kind)) {
    return true;
  }
  bool done = commit_around(slots, slots + count * kind.slot_bytes);
  for (uint32_t i = 0; done && kind.paged && i < count; ++i) {
    done = guard_front({class_index, first + i});
  }
  return done;
}

// Repeating it is harmless.
bool SlotPool::commit_slot(SlotName slot) {
  return os::commit(address(slot), classes_[slot.class_index].slot_bytes) && guard_front(slot);
}

bool SlotPool::guard_front(SlotName slot) {
  return !guard_pages_ || os::deny(address(slot), os::page_size());
}

namespace {

// What lies between, less the pages at its ends that it shares.
struct Part {
  uintptr_t low;
  uintptr_t high;
  Part(uintptr_t start, uintptr_t end)
      : low(align_up(start, os::page_size())), high(align_down(end, os::page_size())) {}
  uint64_t bytes() const { return low < high ? high - low : 0; }
  void release() const {
    if (bytes() != 0) {
      os::release_part(reinterpret_cast<void*>(low), bytes());
    }
  }
};

}  // namespace

template <typename Visit>
void SlotPool::for_each_untouched(Visit visit) const {
  for (uint32_t index = 0; bytes_.get() != 0 && index < classes_.count(); ++index) {
    const Class& one = state_[index];
    // relaxed: sealed, or a guess.
    const uint32_t made = one.made.load(std::memory_order_relaxed);
    const auto entries = reinterpret_cast<uintptr_t>(one.entries);
    visit(Part(reinterpret_cast<uintptr_t>(address({index, made})), region(index + 1)));
    visit(Part(entries + made * sizeof(Entry), entries + one.max_slots * sizeof(Entry)));
  }
}

void SlotPool::give_up_untouched() {
  // relaxed: the gate is sealed, and of two threads one goes on.
  if (!given_up_.exchange(true, std::memory_order_relaxed)) {
    for_each_untouched([](const Part& part) { part.release(); });
  }
}

uint64_t SlotPool::untouched_bytes() const {
  uint64_t sum = 0;
  if (!given_up_.load(std::memory_order_relaxed)) {
    for_each_untouched([&sum](const Part& part) { sum += part.bytes(); });
  }
  return sum;
}

}  // namespace spillway::guard
