// SPDX-License-Identifier: MIT
// A stack trace: kept by a few addresses, told with AddressSanitizer's symbolizer. Not for
// memcheck, which keeps such stacks itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/owned_cell.h"

namespace spillway::tools {

class Stack {
 public:
  static constexpr size_t kMaxFrames = 24;  // arbitrary

  // The calling thread's, from the caller on. Microseconds.
  void capture();
  bool is_empty() const { return frames_[0].get() == 0; }
  uint32_t thread() const { return thread_.get(); }
  // Lines on stderr as AddressSanitizer writes them.
  void print() const;

 private:
  OwnedCell<uintptr_t> frames_[kMaxFrames];  // return addresses; 0 behind the last one
  OwnedCell<uint32_t> thread_;
};

}  // namespace spillway::tools
