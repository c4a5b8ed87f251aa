// SPDX-License-Identifier: MIT
// A part of a reservation that is committed from its start on as it is used, and never shrinks.
// Lock-free: two threads that grow it at once commit the same pages, which is harmless.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "alloc/base/bits.h"
#include "alloc/os/os.h"

namespace spillway::profile {

class GrowingMemory {
 public:
  // `bytes` of reserved address space, whole pages.
  void attach(char* start, size_t bytes) {
    start_ = start;
    bytes_ = bytes;
  }
  char* start() const { return start_; }
  size_t bytes() const { return bytes_; }

  // Sees to it that the first `bytes` may be used; false when there are not so many, or the kernel
  // refuses.
  bool reach(size_t bytes) {
    constexpr size_t kStep = 256 * kKiB;  // arbitrary: a system call for so many
    // relaxed, both: another thread that reads the new value uses memory that is committed.
    size_t seen = committed_.load(std::memory_order_relaxed);
    if (bytes <= seen) {
      return true;
    }
    if (bytes > bytes_) {
      return false;
    }
    const size_t wanted = std::min(align_up(bytes, kStep), bytes_);
    if (!os::commit(start_ + seen, wanted - seen)) {
      return false;
    }
    while (seen < wanted &&
           !committed_.compare_exchange_weak(seen, wanted, std::memory_order_relaxed)) {
    }
    return true;
  }

 private:
  char* start_ = nullptr;
  size_t bytes_ = 0;
  std::atomic<size_t> committed_{0};
};

}  // namespace spillway::profile
