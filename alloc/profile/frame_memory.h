// SPDX-License-Identifier: MIT
// The part of a stack that a walk may read: from where it began up to the highest address that can
// be the stack's, as far as that is known. A frame description that is wrong thereby ends the walk,
// not the process.
#pragma once

#include <cstdint>
#include <cstring>

namespace spillway::profile {

struct FrameMemory {
  uintptr_t start = 0;
  uintptr_t end = 0;

  bool read(uintptr_t address, uintptr_t& word) const {
    if (address % sizeof word != 0 || address < start || end - address < sizeof word ||
        address >= end) {
      return false;
    }
    std::memcpy(&word, reinterpret_cast<const void*>(address), sizeof word);
    return true;
  }
};

}  // namespace spillway::profile
