// SPDX-License-Identifier: MIT
#include "alloc/core/range.h"

#include "alloc/base/bits.h"
#include "alloc/os/bounded_wait.h"

namespace spillway::core {
namespace {

// Somewhere in the part of a 47-bit address space that the kernel leaves empty between program and
// libraries; only a wish, and one that other address spaces ignore.
void* random_hint() {
  constexpr uint64_t kLowest = uint64_t{0x20} << 40;  // above mimalloc's own hints
  constexpr uint64_t kSpread = uint64_t{0x30} << 40;
  const uint64_t address = kLowest + os::random_bits() % kSpread;
  return reinterpret_cast<void*>(align_down(address, Range::kAlignment));
}

}  // namespace

bool Range::reserve_range(size_t bytes) {
  void* start = os::reserve(bytes, os::Access::kNone, random_hint());
  if (start == nullptr) {
    return false;
  }
  auto address = reinterpret_cast<uintptr_t>(start);
  if (address % kAlignment != 0) {
    os::release(start, bytes);
    start = os::reserve(bytes + kAlignment, os::Access::kNone, nullptr);
    if (start == nullptr) {
      return false;
    }
    address = reinterpret_cast<uintptr_t>(start);
    const size_t before = align_up(address, kAlignment) - address;
    if (before != 0) {
      os::release_part(start, before);
    }
    address += before;
    os::release_part(reinterpret_cast<void*>(address + bytes), kAlignment - before);
  }
  base_.set(address);
  bytes_.set_release(bytes);  // acquired in owns()
  return true;
}

void Range::release_range() {
  void* const start = at(0);
  const size_t size = bytes();
  // First: another thread may get the range from the kernel as soon as it is gone.
  bytes_.set(0);
  base_.set(kNoBase);
  if (size != 0) {
    os::release(start, size);
  }
}

bool Range::seal() {
  if (sealed_.exchange(true, std::memory_order_seq_cst)) {
    return false;
  }
  os::BoundedWait wait(1'000'000'000);
  // seq_cst: after the exchange; pairs with Growing, which adds first and then reads. And acquires
  // what a Growing published.
  while (growing_.load(std::memory_order_seq_cst) != 0) {
    if (!wait.pause()) {
      // relaxed: a Growing that still sees it sealed is refused, as before.
      sealed_.store(false, std::memory_order_relaxed);
      return false;
    }
  }
  return true;
}

void Range::give_up(Granule first, Granule end) {
  const size_t page = os::page_size();
  const size_t low = align_up(reinterpret_cast<uintptr_t>(address(first)), page);
  const size_t high = align_down(reinterpret_cast<uintptr_t>(address(end)), page);
  if (low < high) {
    os::release_part(reinterpret_cast<void*>(low), high - low);
  }
}

void Range::prefer_huge(Granule first, size_t granules) {
  const auto start = reinterpret_cast<uintptr_t>(address(first));
  const uintptr_t low = align_up(start, kAlignment);
  const uintptr_t high = align_down(start + (granules << granule_shift_), kAlignment);
  if (low < high) {
    os::prefer_huge_pages(reinterpret_cast<void*>(low), high - low, true);
  }
}

}  // namespace spillway::core
