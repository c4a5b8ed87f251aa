// SPDX-License-Identifier: MIT
#include "alloc/guard/guarded_heap.h"

#include <algorithm>
#include <cstring>

#include "alloc/base/bits.h"
#include "alloc/guard/canary.h"

namespace spillway::guard {
namespace {

// Every block's alignment.
constexpr size_t kAlignment = 16;
// Blocks of so many bytes and more have pages of their own.
constexpr size_t kMinPagedBlock = 4 * kKiB;
// Behind a block whose next byte is not inaccessible, at the least.
constexpr size_t kMinCanary = 8;
// Longer freed memory is returned to the kernel instead of being overwritten: arbitrary.
constexpr size_t kMaxOverwritten = 256 * kKiB;

bool is_zero(uintptr_t start, uintptr_t end) {
  const auto* at = reinterpret_cast<const std::byte*>(start);
  const size_t bytes = end - start;
  // Compares each byte with the one before.
  return bytes == 0 || (*at == std::byte{0} && std::memcmp(at, at + 1, bytes - 1) == 0);
}

}  // namespace

bool GuardedHeap::start(size_t region_bytes, const Parts& parts, DamageHandler on_damage,
                        core::Range& gate) {
  parts_ = parts;
  parts_.quarantine = std::min(parts.quarantine, kMaxQuarantine);
  on_damage_ = on_damage;
  random_.start();
  canary_key_ = os::random_bits();
  return slots_.start(region_bytes, parts_, random_, gate);
}

void GuardedHeap::stop() {
  slots_.stop();
  live_bytes_.store(0, std::memory_order_relaxed);
  live_blocks_.store(0, std::memory_order_relaxed);
  allocations_.store(0, std::memory_order_relaxed);
  paged_bytes_.store(0, std::memory_order_relaxed);
}

size_t GuardedHeap::canary_bytes(bool paged) const {
  return parts_.canaries && !(paged && parts_.guard_pages) ? kMinCanary : 0;
}

uint32_t GuardedHeap::class_for(const Request& request) const {
  const size_t alignment = std::max(request.alignment, kAlignment);
  if (request.size > kMaxBlock || alignment > kMaxBlock / 2) {
    return SlotClasses::kNone;
  }
  const size_t page = os::page_size();
  const bool own_pages = request.place == Place::kOwnPages || request.size >= kMinPagedBlock ||
                         alignment >= page ||
                         // With nothing that may be used: all of it is inaccessible.
                         (request.size == 0 && parts_.guard_pages);
  // Slots begin at any multiple of 16, paged ones at a page.
  const size_t already = own_pages ? page : kAlignment;
  const size_t spare = alignment > already ? alignment - already : 0;
  return slots_.classes().fitting(
      std::max<size_t>(request.size, 1) + canary_bytes(own_pages) + spare, own_pages);
}

GuardedHeap::Layout GuardedHeap::lay_out(SlotName slot, size_t size, size_t alignment) const {
  const SlotClass& kind = slots_.classes()[slot.class_index];
  const auto begin = reinterpret_cast<uintptr_t>(slots_.address(slot));
  const size_t step = std::max(alignment, kAlignment);
  const uintptr_t limit = begin + kind.slot_bytes;
  uintptr_t start = align_up(begin, step);
  if (kind.paged) {
    // One without a byte is in the slot, too.
    start = align_down(limit - canary_bytes(true) - std::max<size_t>(size, 1), step);
  }
  return layout_of(slot, SlotContents::live(start - begin, size));
}

GuardedHeap::Layout GuardedHeap::layout_of(SlotName slot, SlotContents contents) const {
  const SlotClass& kind = slots_.classes()[slot.class_index];
  Layout layout{};
  layout.slot = reinterpret_cast<uintptr_t>(slots_.address(slot));
  layout.start = layout.slot + contents.start();
  layout.end = layout.start + contents.size();
  layout.open = layout.slot;
  layout.close = layout.slot + kind.slot_bytes;
  if (kind.paged) {
    const size_t page = os::page_size();
    layout.open = align_down(layout.start, page);
    layout.close =
        contents.size() == 0 ? layout.open : align_up(layout.end + canary_bytes(true), page);
  }
  return layout;
}

void* GuardedHeap::allocate(const Request& request) {
  const uint32_t class_index = class_for(request);
  SlotName slot{};
  if (class_index == SlotClasses::kNone || !slots_.take(class_index, slot)) {
    return nullptr;
  }
  const SlotClass& kind = slots_.classes()[class_index];
  // relaxed: the slot is this thread's; what was done to it came with it.
  const SlotContents before(slots_.contents(slot).load(std::memory_order_relaxed));
  const Layout layout = lay_out(slot, request.size, request.alignment);
  const SlotContents contents = SlotContents::live(layout.start - layout.slot, request.size);
  if (!open(kind, layout, before)) {
    // relaxed: shelve() releases it. Used, since part of it may be inaccessible now.
    slots_.contents(slot).store(contents.freed(true).word(), std::memory_order_relaxed);
    slots_.shelve(slot);
    return nullptr;
  }
  if (is_wiped(kind) && (before.was_used() || !kind.paged)) {
    check_wiped(layout_of(slot, before));
  }
  if (request.zeroed && !reads_as_zero(kind, slot, before, layout)) {
    std::memset(reinterpret_cast<void*>(layout.start), 0, request.size);
  }
  if (parts_.canaries && layout.open != layout.close) {
    write_canaries(layout);
  }
  count(kind, layout, true);
  slots_.tenant(slot).store(request.tenant, std::memory_order_relaxed);
  // release: pairs with the acquire in look(); a thread that frees the block sees its canaries.
  slots_.contents(slot).store(contents.word(), std::memory_order_release);
  return reinterpret_cast<void*>(layout.start);
}

// Between two blocks all of a slot is inaccessible, but for one that was never used, where only the
// first page is, and an exposed one.
bool GuardedHeap::open(const SlotClass& kind, const Layout& layout, SlotContents before) const {
  if (!kind.paged || !parts_.guard_pages) {
    return true;
  }
  const auto at = [](uintptr_t address) { return reinterpret_cast<void*>(address); };
  if (before.was_used() && layout.open != layout.close &&
      !os::allow(at(layout.open), layout.close - layout.open)) {
    return false;
  }
  if (before.was_used() && !before.is_exposed()) {
    return true;
  }
  const uintptr_t first = layout.slot + os::page_size();
  const uintptr_t limit = layout.slot + kind.slot_bytes;
  return (first == layout.open || os::deny(at(first), layout.open - first)) &&
         (layout.close == limit || os::deny(at(layout.close), limit - layout.close));
}

bool GuardedHeap::reads_as_zero(const SlotClass& kind, SlotName slot, SlotContents before,
                                const Layout& layout) const {
  if (!before.was_used()) {
    return true;
  }
  if (kind.paged && parts_.guard_pages) {
    return !before.is_exposed();
  }
  // What was looked at by check_wiped().
  const Layout looked = layout_of(slot, before);
  return parts_.zero_on_free && looked.open <= layout.open && layout.close <= looked.close;
}

bool GuardedHeap::close(const SlotClass& kind, const Layout& layout) const {
  const size_t bytes = layout.close - layout.open;
  auto* const memory = reinterpret_cast<void*>(layout.open);
  if (kind.paged && parts_.guard_pages) {
    if (bytes == 0 || os::deny(memory, bytes)) {
      return true;
    }
    if (!os::purge(memory, bytes)) {
      std::memset(memory, 0, bytes);
    }
    return false;
  }
  if (is_wiped(kind) && (!kind.paged || bytes <= kMaxOverwritten || !os::purge(memory, bytes))) {
    std::memset(memory, 0, bytes);
  }
  return true;
}

void GuardedHeap::check_wiped(const Layout& before) const {
  if (!is_zero(before.open, before.close)) {
    on_damage_(Damage::kWhileFree, reinterpret_cast<void*>(before.start),
               before.end - before.start);
    std::memset(reinterpret_cast<void*>(before.open), 0, before.close - before.open);
  }
}

void GuardedHeap::write_canaries(const Layout& layout) const {
  write_canary(layout.open, layout.start, canary_key_);
  write_canary(layout.end, layout.close, canary_key_);
}

void GuardedHeap::check_canaries(const Layout& layout) const {
  auto* const block = reinterpret_cast<void*>(layout.start);
  if (!is_canary_whole(layout.end, layout.close, canary_key_)) {
    on_damage_(Damage::kOverflow, block, layout.end - layout.start);
  }
  if (!is_canary_whole(layout.open, layout.start, canary_key_)) {
    on_damage_(Damage::kUnderflow, block, layout.end - layout.start);
  }
}

void GuardedHeap::count(const SlotClass& kind, const Layout& layout, bool taken) {
  const auto add = [taken](std::atomic<uint64_t>& sum, uint64_t amount) {
    sum.fetch_add(taken ? amount : -amount, std::memory_order_relaxed);
  };
  add(live_blocks_, 1);
  add(live_bytes_, layout.end - layout.start);
  if (kind.paged) {
    add(paged_bytes_, layout.close - layout.open);
  }
  if (taken) {
    allocations_.fetch_add(1, std::memory_order_relaxed);
  }
}

GuardedHeap::Found GuardedHeap::look(const void* pointer) const {
  SlotName slot{};
  if (!slots_.find(pointer, slot)) {
    return {};
  }
  // acquire: pairs with the release in allocate().
  const SlotContents contents(slots_.contents(slot).load(std::memory_order_acquire));
  if (!contents.was_used()) {
    return {};
  }
  const Layout layout = layout_of(slot, contents);
  const bool starts = reinterpret_cast<uintptr_t>(pointer) == layout.start;
  const Where where = contents.is_live() ? (starts ? Where::kLive : Where::kInside)
                      : starts           ? Where::kFreed
                                         : Where::kNowhere;
  return {.where = where, .start = layout.start, .size = contents.size()};
}

GuardedHeap::Found GuardedHeap::nearest(const void* address) const {
  const auto at = reinterpret_cast<uintptr_t>(address);
  SlotName slot{};
  // Behind the last slot there is none.
  const bool made = slots_.find(address, slot);
  Found best;
  uintptr_t best_distance = UINTPTR_MAX;
  const auto consider = [&](SlotName candidate) {
    // acquire: as in look().
    const SlotContents contents(slots_.contents(candidate).load(std::memory_order_acquire));
    if (!contents.was_used()) {
      return;
    }
    const Layout layout = layout_of(candidate, contents);
    const uintptr_t distance = at < layout.start  ? layout.start - at
                               : at >= layout.end ? at - layout.end
                                                  : 0;
    if (distance < best_distance) {
      best_distance = distance;
      best = {.where = contents.is_live() ? Where::kLive : Where::kFreed,
              .start = layout.start,
              .size = contents.size()};
    }
  };
  if (made) {
    consider(slot);
  }
  if (slot.number != 0) {
    consider({slot.class_index, slot.number - 1});
  }
  return best;
}

GuardedHeap::Found GuardedHeap::free(void* pointer) {
  Found found = look(pointer);
  if (found.where != Where::kLive) {
    return found;
  }
  SlotName slot{};
  static_cast<void>(slots_.find(pointer, slot));
  const SlotClass& kind = slots_.classes()[slot.class_index];
  const auto begin = reinterpret_cast<uintptr_t>(slots_.address(slot));
  const SlotContents contents = SlotContents::live(found.start - begin, found.size);
  const Layout layout = layout_of(slot, contents);
  uint64_t expected = contents.word();
  // acquire: with look()'s; one of two threads that free the block sees it live.
  if (!slots_.contents(slot).compare_exchange_strong(expected, contents.freed(false).word(),
                                                     std::memory_order_acquire,
                                                     std::memory_order_acquire)) {
    found.where = Where::kFreed;
    return found;
  }
  if (parts_.canaries && layout.open != layout.close) {
    check_canaries(layout);
  }
  if (!close(kind, layout)) {
    // relaxed: shelve() releases it.
    slots_.contents(slot).store(contents.freed(true).word(), std::memory_order_relaxed);
  }
  count(kind, layout, false);
  found.tenant = slots_.tenant(slot).load(std::memory_order_relaxed);
  slots_.shelve(slot);
  return found;
}

}  // namespace spillway::guard
