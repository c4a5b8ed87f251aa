// The one reserved address range, cut into equal spans, one per class, and the state bytes of its
// granules. Address decides ownership: one subtraction, one compare.
//
//   base          base + span        base + 2 span
//   | class 1 ... | class 2 ......... | ...           committed from the left as the class grows
//
// Reading the state of a granule that was never committed is allowed and gives kClean.
// Thread-safe once reserved; no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/core/slot_state.h"
#include "alloc/os/os.h"

namespace spillway::core {

// How a range is counted. The heap's fast paths know theirs at compile time.
struct ArenaUnits {
  unsigned granule_shift = kGranuleShift;
  // Whether classes begin at different places of their spans, see Arena::first_granule().
  bool staggered = true;
};

class Arena {
 public:
  // Spans begin at multiples of this, so that a class whose stride is a power of two has blocks
  // aligned to their size, and huge pages fit.
  static constexpr size_t kSpanAlignment = size_t{2} << 20;

  // Reserves `spans` spans of `most_span_bytes`, or half, a quarter, ... of it when the kernel
  // refuses or RLIMIT_AS would be used up, but no less than `least_span_bytes`. All are powers of
  // two and at least kSpanAlignment. False: nothing is reserved and the arena owns no address.
  bool reserve(uint32_t spans, size_t most_span_bytes, size_t least_span_bytes,
               ArenaUnits units = {});
  // Gives everything back; no block may be in use.
  void release();

  bool owns(const void* pointer) const {
    const size_t bytes = bytes_.get_acquire();  // set_release in reserve(): base_ is there with it
    return offset(pointer) < bytes;
  }
  size_t offset(const void* pointer) const {
    return reinterpret_cast<uintptr_t>(pointer) - base_.get();
  }
  void* address(Granule granule) const {
    return reinterpret_cast<void*>(base_.get() + (size_t{raw(granule)} << granule_shift_));
  }
  unsigned granule_shift() const { return granule_shift_; }
  // `offset` is inside the arena.
  Granule granule_at(size_t offset) const {
    return Granule{static_cast<uint32_t>(offset >> granule_shift_)};
  }
  StateByte& state(Granule granule) const { return states_[raw(granule)]; }
  // Of the granule that an offset inside the arena is in, and the number of its span: for the fast
  // paths, which do without the narrower types. The first is for granules of the heap's size.
  StateByte& state_at(size_t offset) const { return states_[offset >> kGranuleShift]; }
  size_t span_at(size_t offset) const { return offset >> span_shift_; }

  ClassIndex class_of(Granule granule) const {
    return ClassIndex{static_cast<uint8_t>((raw(granule) >> (span_shift_ - granule_shift_)) + 1)};
  }
  Granule span_start(uint32_t span) const {
    return Granule{span << (span_shift_ - granule_shift_)};
  }
  // Where the class's slots begin. Not at the same place of each span: state bytes of classes that
  // are used equally much would compete for the same sets of the first-level cache.
  Granule first_granule(ClassIndex index) const {
    const uint32_t start = raw(span_start(static_cast<uint32_t>(raw(index)) - 1));
    return Granule{start + (raw(index) * kStaggerStep % kStaggerLines * kStatesPerLine & stagger_)};
  }
  // Bytes of a span that slots may use.
  size_t class_bytes() const { return span_bytes() - (size_t{stagger_} << granule_shift_); }
  size_t span_bytes() const { return size_t{1} << span_shift_; }
  size_t bytes() const { return bytes_.get(); }

  // Makes granules [from, to) of a class and their state bytes usable; bounds count from the span's
  // start and are rounded outwards to pages. Repeating it is harmless. One or two system calls.
  [[nodiscard]] bool commit(ClassIndex index, size_t from, size_t to) {
    return commit(Granule{static_cast<uint32_t>(raw(first_granule(index)) + from)}, to - from);
  }
  [[nodiscard]] bool commit(Granule first, size_t granules);

  // Round a commit and the publishing of it. Not allowed: the arena is sealed, and what was never
  // committed no longer its own.
  class Growing {
   public:
    explicit Growing(Arena& arena) : arena_(arena) {
      // seq_cst: before the load below; pairs with seal(), which stores first and then reads.
      arena_.growing_.fetch_add(1, std::memory_order_seq_cst);
      allowed_ = !arena_.sealed_.load(std::memory_order_seq_cst);
    }
    ~Growing() {
      // release: pairs with the acquire in seal(); what was committed is published.
      arena_.growing_.fetch_sub(1, std::memory_order_release);
    }
    Growing(const Growing&) = delete;
    Growing& operator=(const Growing&) = delete;
    bool allowed() const { return allowed_; }

   private:
    Arena& arena_;
    bool allowed_;
  };
  // From now on nothing more is committed. False, and not so, when a commit that is under way does
  // not end within a second; false, too, when it was so already.
  bool seal();
  bool is_sealed() const { return sealed_.load(std::memory_order_relaxed); }
  // Gives the address space of granules that were never committed to the kernel, for others. The
  // arena owns their addresses still: `free` of one is misuse.
  void give_up(Granule first, Granule end);
  // In a forked child.
  void recover_after_fork() { growing_.store(0, std::memory_order_relaxed); }

  // Huge pages: for all of the arena or none of it, or where a class grows by much.
  void choose_huge(bool huge) { os::prefer_huge_pages(address(Granule{0}), bytes(), huge); }
  void choose_huge_growth() { huge_growth_ = true; }
  bool huge_growth() const { return huge_growth_; }
  // Of what lies in the range as whole huge pages.
  void prefer_huge(Granule first, size_t granules);

  // Gives the memory of `granules` granules, whole pages, to the kernel; they read as zero then.
  // False when it refuses. One system call.
  [[nodiscard]] bool purge(Granule first, size_t granules) {
    return os::purge(address(first), granules << granule_shift_);
  }

 private:
  bool reserve_aligned(size_t bytes);

  // Sets of 4 KiB worth of lines, the usual size of a way, in steps near the golden ratio, odd so
  // that all are met; where that takes no more than this share of a span.
  static constexpr uint32_t kStatesPerLine = 64;
  static constexpr uint32_t kStaggerLines = 64;
  static constexpr uint32_t kStaggerStep = 39;
  static constexpr uint32_t kStaggerShare = 16;
  static constexpr uint32_t kMostStagger = (kStaggerLines - 1) * kStatesPerLine;

  // Read on every free(): the first members of an engine. A free() may run while reserve() does, in
  // another thread, and see either one before and the other after: with the base of no arena an
  // offset is beyond any size, and no offset is below a size of 0.
  static constexpr uintptr_t kNoBase = uintptr_t{1} << 63;
  OwnedCell<uintptr_t> base_{kNoBase};
  OwnedCell<size_t> bytes_;
  StateByte* states_ = nullptr;
  unsigned span_shift_ = 0;
  unsigned granule_shift_ = 0;
  bool huge_growth_ = false;
  std::atomic<uint32_t> growing_{0};
  std::atomic<bool> sealed_{false};
  uint32_t stagger_ = 0;  // kMostStagger, which is a mask of the multiples in use, or 0
};

}  // namespace spillway::core
