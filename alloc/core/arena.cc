#include "alloc/core/arena.h"

#include <algorithm>
#include <bit>

#include "alloc/base/bits.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

// Somewhere in the part of a 47-bit address space that the kernel leaves empty between program and
// libraries; only a wish, and one that other address spaces ignore.
void* random_hint() {
  constexpr uint64_t kLowest = uint64_t{0x20} << 40;  // above mimalloc's own hints
  constexpr uint64_t kRange = uint64_t{0x30} << 40;
  const uint64_t address = kLowest + os::random_bits() % kRange;
  return reinterpret_cast<void*>(align_down(address, Arena::kSpanAlignment));
}

}  // namespace

bool Arena::reserve(uint32_t spans, size_t most_span_bytes, size_t least_span_bytes,
                    ArenaUnits units) {
  granule_shift_ = units.granule_shift;
  SPILLWAY_DCHECK(is_power_of_two(most_span_bytes) && is_power_of_two(least_span_bytes));
  SPILLWAY_DCHECK(least_span_bytes >= kSpanAlignment);
  // With a limit on address space, three quarters of what is left stay for the program.
  const uint64_t most_bytes = os::address_space_left() / 4;
  for (size_t span = most_span_bytes; span >= least_span_bytes; span /= 2) {
    if (span * spans > most_bytes || !reserve_aligned(span * spans)) {
      continue;
    }
    void* states = os::reserve(Arena::bytes() >> granule_shift_, os::Access::kRead, nullptr);
    if (states == nullptr) {
      release();
      continue;
    }
    states_ = static_cast<StateByte*>(states);
    span_shift_ = static_cast<unsigned>(std::countr_zero(span));
    const bool ample = (span >> granule_shift_) / kStaggerShare > kMostStagger;
    stagger_ = units.staggered && ample ? kMostStagger : 0;
    return true;
  }
  return false;
}

bool Arena::reserve_aligned(size_t bytes) {
  void* start = os::reserve(bytes, os::Access::kNone, random_hint());
  if (start == nullptr) {
    return false;
  }
  auto address = reinterpret_cast<uintptr_t>(start);
  if (address % kSpanAlignment != 0) {
    os::release(start, bytes);
    start = os::reserve(bytes + kSpanAlignment, os::Access::kNone, nullptr);
    if (start == nullptr) {
      return false;
    }
    address = reinterpret_cast<uintptr_t>(start);
    const size_t before = align_up(address, kSpanAlignment) - address;
    if (before != 0) {
      os::release(start, before);
    }
    address += before;
    os::release(reinterpret_cast<void*>(address + bytes), kSpanAlignment - before);
  }
  base_.set(address);
  bytes_.set_release(bytes);  // acquired in owns()
  return true;
}

void Arena::release() {
  void* const start = address(Granule{0});
  const size_t size = bytes();
  void* const states = states_;
  // First: another thread may get the range from the kernel as soon as it is gone.
  bytes_.set(0);
  base_.set(kNoBase);
  states_ = nullptr;
  if (size != 0) {
    os::release(start, size);
  }
  if (states != nullptr) {
    os::release(states, size >> granule_shift_);
  }
}

bool Arena::seal() {
  if (sealed_.exchange(true, std::memory_order_seq_cst)) {
    return false;
  }
  os::BoundedWait wait(1'000'000'000);
  // seq_cst: after the exchange; pairs with Growing, which adds first and then reads. And acquires
  // what a Growing published.
  while (growing_.load(std::memory_order_seq_cst) != 0) {
    if (!wait.pause()) {
      sealed_.store(false, std::memory_order_relaxed);
      return false;
    }
  }
  return true;
}

void Arena::give_up(Granule first, Granule end) {
  const size_t page = os::page_size();
  const size_t low = align_up(reinterpret_cast<uintptr_t>(address(first)), page);
  const size_t high = align_down(reinterpret_cast<uintptr_t>(address(end)), page);
  if (low < high) {
    os::release(reinterpret_cast<void*>(low), high - low);
  }
}

void Arena::prefer_huge(Granule first, size_t granules) {
  const auto start = reinterpret_cast<uintptr_t>(address(first));
  const uintptr_t low = align_up(start, kSpanAlignment);
  const uintptr_t high = align_down(start + (granules << granule_shift_), kSpanAlignment);
  if (low < high) {
    os::prefer_huge_pages(reinterpret_cast<void*>(low), high - low, true);
  }
}

bool Arena::commit(Granule first, size_t granules) {
  const size_t page = os::page_size();
  const auto commit_rounded = [page](char* start, size_t bytes) {
    const size_t low = align_down(reinterpret_cast<uintptr_t>(start), page);
    const size_t high = align_up(reinterpret_cast<uintptr_t>(start) + bytes, page);
    return os::commit(reinterpret_cast<void*>(low), high - low);
  };
  auto* states = reinterpret_cast<char*>(states_);
  return commit_rounded(states + raw(first), granules) &&
         commit_rounded(static_cast<char*>(address(first)), granules << granule_shift_);
}

}  // namespace spillway::core
