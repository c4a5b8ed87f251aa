// SPDX-License-Identifier: MIT
// A range with a side table: an entry a granule, kept outside the blocks. What both kinds of arena
// have in common; what an entry says is theirs.
//
// Reading the entry of a granule that was never committed is allowed and gives a zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/core/commit.h"
#include "alloc/core/range.h"

namespace spillway::core {

template <typename Entry>
class TabledRange : public Range {
 public:
  // Gives everything back; no block may be in use.
  void release() {
    const size_t entry_bytes = (bytes() >> granule_shift()) * sizeof(Entry);
    void* const entries = entries_;
    entries_ = nullptr;
    release_range();
    if (entries != nullptr) {
      os::release(entries, entry_bytes);
    }
  }

  Entry& entry(Granule granule) const { return entries_[raw(granule)]; }
  // The same by number: without a step to the granule's 32 bits, an instruction of each free().
  Entry& entry_numbered(size_t number) const { return entries_[number]; }

  // Makes granules and their entries usable, both rounded outwards to pages. Repeating it is
  // harmless. Four system calls at most.
  [[nodiscard]] bool commit(Granule first, size_t granules) {
    return commit_pages(entries_ + raw(first), granules * sizeof(Entry)) &&
           commit_pages(address(first), granules << granule_shift());
  }

 protected:
  constexpr TabledRange() : Range(kGranuleShift) {}

  // Reserves `max_bytes`, or half, a quarter, ... of it when the kernel refuses or RLIMIT_AS would
  // be used up, but no less than `min_bytes`; multiples of kAlignment. False: nothing is reserved
  // and the range owns no address.
  bool reserve_with_table(size_t max_bytes, size_t min_bytes) {
    // With a limit on address space, three quarters of the rest stay for the program.
    const uint64_t left = os::address_space_left() / 4;
    for (size_t size = max_bytes; size >= min_bytes; size = align_down(size / 2, kAlignment)) {
      if (size > left || !reserve_range(size)) {
        continue;
      }
      void* entries =
          os::reserve((size >> granule_shift()) * sizeof(Entry), os::Access::kRead, nullptr);
      if (entries != nullptr) {
        entries_ = static_cast<Entry*>(entries);
        return true;
      }
      release();
    }
    return false;
  }

 private:
  Entry* entries_ = nullptr;
};

}  // namespace spillway::core
