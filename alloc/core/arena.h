// The one reserved address range, cut into equal spans, one per class, and the state bytes of its
// granules. Address decides ownership: one subtraction, one compare.
//
//   base          base + span        base + 2 span
//   | class 1 ... | class 2 ......... | ...           committed from the left as the class grows
//
// Reading the state of a granule that was never committed is allowed and gives kClean.
// Thread-safe once reserved; no lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/core/slot_state.h"

namespace spillway::core {

class Arena {
 public:
  // Spans begin at multiples of this, so that a class whose stride is a power of two has blocks
  // aligned to their size, and huge pages fit.
  static constexpr size_t kSpanAlignment = size_t{2} << 20;

  // Reserves `spans` spans of `most_span_bytes`, or half, a quarter, ... of it when the kernel
  // refuses or RLIMIT_AS would be used up, but no less than `least_span_bytes`. All are powers of
  // two and at least kSpanAlignment. False: nothing is reserved and the arena owns no address.
  bool reserve(uint32_t spans, size_t most_span_bytes, size_t least_span_bytes);
  // Gives everything back; no block may be in use.
  void release();

  bool owns(const void* pointer) const { return offset(pointer) < bytes_.get(); }
  size_t offset(const void* pointer) const {
    return reinterpret_cast<uintptr_t>(pointer) - base_.get();
  }
  void* address(Granule granule) const {
    return reinterpret_cast<void*>(base_.get() + (size_t{raw(granule)} << kGranuleShift));
  }
  // `offset` is inside the arena.
  static Granule granule_at(size_t offset) {
    return Granule{static_cast<uint32_t>(offset >> kGranuleShift)};
  }
  StateByte& state(Granule granule) const { return states_[raw(granule)]; }

  ClassIndex class_of(Granule granule) const {
    return ClassIndex{static_cast<uint8_t>((raw(granule) >> span_granules_shift_) + 1)};
  }
  Granule first_granule(ClassIndex index) const {
    return Granule{(static_cast<uint32_t>(raw(index)) - 1) << span_granules_shift_};
  }
  size_t span_bytes() const { return size_t{1} << (span_granules_shift_ + kGranuleShift); }
  size_t bytes() const { return bytes_.get(); }

  // Makes granules [from, to) of a class and their state bytes usable; bounds count from the span's
  // start and are rounded outwards to pages. Repeating it is harmless. One or two system calls.
  [[nodiscard]] bool commit(ClassIndex index, size_t from, size_t to);

 private:
  bool reserve_aligned(size_t bytes);

  // An address that no pointer of a program is near: with it nothing is owned, however many bytes.
  static constexpr uintptr_t kNowhere = uintptr_t{1} << 63;

  // Read on every free(): the first members of an engine. A free() may run while reserve()
  // does, in another thread: whichever of the first two it sees, it owns nothing until it sees
  // both.
  OwnedCell<uintptr_t> base_{kNowhere};
  OwnedCell<size_t> bytes_;
  StateByte* states_ = nullptr;
  unsigned span_granules_shift_ = 0;
};

}  // namespace spillway::core
