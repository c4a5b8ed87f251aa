// SPDX-License-Identifier: MIT
// One call of the program's to the allocator, from its entry to its return. Calls that a call makes
// itself, the recorder's included, are not recorded; nor is anything when nothing is to be.
#pragma once

#include <cstddef>

#include "bench/trace/raw.h"

namespace bench::trace {

class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // After the block was made. kReallocEnd also when none was.
  void made(RawOp op, const void* block, std::size_t size, unsigned alignment_log2 = 0) const {
    if (outermost_ && (block != nullptr || op == RawOp::kReallocEnd)) {
      note(op, block, size, alignment_log2);
    }
  }

  // Before the block ends.
  void ends(RawOp op, const void* block) const {
    if (outermost_) {
      note(op, block, 0, 0);
    }
  }

 private:
  static void note(RawOp op, const void* block, std::size_t size, unsigned alignment_log2);

  const bool outermost_;
};

}  // namespace bench::trace
