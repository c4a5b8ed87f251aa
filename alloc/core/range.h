// SPDX-License-Identifier: MIT
// One reserved address range, counted in granules. Address decides ownership: one subtraction, one
// compare. The two kinds of arena decide which part is committed and what a granule is.
//
// Thread-safe once reserved; no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/os/os.h"

namespace spillway::core {

class Range {
 public:
  // Ranges begin at multiples of this, a huge page.
  static constexpr size_t kAlignment = size_t{2} << 20;

  bool owns(const void* pointer) const {
    const size_t bytes = bytes_.get_acquire();  // reserve_range() sets it after base_
    return offset(pointer) < bytes;
  }
  size_t offset(const void* pointer) const {
    return reinterpret_cast<uintptr_t>(pointer) - base_.get();
  }
  void* at(size_t offset) const { return reinterpret_cast<void*>(base_.get() + offset); }
  void* address(Granule granule) const { return at(size_t{raw(granule)} << granule_shift_); }
  unsigned granule_shift() const { return granule_shift_; }
  // `offset` is inside the range.
  Granule granule_at(size_t offset) const {
    return Granule{static_cast<uint32_t>(offset >> granule_shift_)};
  }
  size_t bytes() const { return bytes_.get(); }

  // Round a commit and the publishing of it. Not allowed: the range is sealed, and what was never
  // committed no longer its own.
  class Growing {
   public:
    explicit Growing(Range& range) : range_(range) {
      // seq_cst: before the load below; pairs with seal(), which stores first and then reads.
      range_.growing_.fetch_add(1, std::memory_order_seq_cst);
      allowed_ = !range_.sealed_.load(std::memory_order_seq_cst);
    }
    ~Growing() {
      // release: pairs with the acquire in seal(); what was committed is published.
      range_.growing_.fetch_sub(1, std::memory_order_release);
    }
    Growing(const Growing&) = delete;
    Growing& operator=(const Growing&) = delete;
    bool allowed() const { return allowed_; }

   private:
    Range& range_;
    bool allowed_;
  };
  // From now on nothing more is committed. False, and not so, when a commit that is under way does
  // not end within a second; false, too, when it was so already.
  bool seal();
  // relaxed: a momentary answer; Growing decides.
  bool is_sealed() const { return sealed_.load(std::memory_order_relaxed); }
  // Gives the address space of granules that were never committed to the kernel, for others. The
  // range owns their addresses still: `free` of one is misuse.
  void give_up(Granule first, Granule end);
  // In a forked child. relaxed: the only thread there is.
  void recover_after_fork() { growing_.store(0, std::memory_order_relaxed); }

  // From now on the kernel makes resident what is committed, as it does for a process that locked
  // its memory: no more is to be committed than is needed.
  void commit_exactly() { exact_.store(true, std::memory_order_relaxed); }
  // relaxed, both: a wish.
  bool commits_exactly() const { return exact_.load(std::memory_order_relaxed); }

  void choose_huge(bool huge) { os::prefer_huge_pages(at(0), bytes(), huge); }
  // Of what lies in the part as whole huge pages.
  void prefer_huge(Granule first, size_t granules);

  // Gives the memory of `granules` granules, whole pages, to the kernel; they read as zero then.
  // False when it refuses. One system call.
  [[nodiscard]] bool purge(Granule first, size_t granules) {
    return os::purge(address(first), granules << granule_shift_);
  }

 protected:
  constexpr explicit Range(unsigned granule_shift) : granule_shift_(granule_shift) {}
  // Of no memory yet.
  [[nodiscard]] bool reserve_range(size_t bytes);
  void release_range();
  void set_granule_shift(unsigned shift) { granule_shift_ = shift; }

 private:
  // Read on every free(): the first members of an engine. A free() may run while reserve_range()
  // does, in another thread, and see either one before and the other after: with the base of no
  // range an offset is beyond any size, and no offset is below a size of 0.
  static constexpr uintptr_t kNoBase = uintptr_t{1} << 63;
  OwnedCell<uintptr_t> base_{kNoBase};
  OwnedCell<size_t> bytes_;
  unsigned granule_shift_;
  std::atomic<uint32_t> growing_{0};
  std::atomic<bool> sealed_{false};
  std::atomic<bool> exact_{false};
};

}  // namespace spillway::core
