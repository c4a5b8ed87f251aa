// SPDX-License-Identifier: MIT
// A set of addresses in memory of the caller's, which has room enough: open addressing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spillway::profile {

class AddressSet {
 public:
  // Bytes of zeroed memory for so many addresses.
  static size_t bytes_needed(size_t addresses) { return slots(addresses) * sizeof(uintptr_t); }

  AddressSet(void* memory, size_t addresses)
      : slots_(static_cast<uintptr_t*>(memory)), mask_(slots(addresses) - 1) {}

  // False when it is there already, and for more than there is room for. Not 0.
  bool add(uintptr_t address) {
    constexpr uint64_t kFactor = 0x9e3779b97f4a7c15;
    size_t place = static_cast<size_t>(address * kFactor >> 32) & mask_;
    for (size_t looked = 0; looked <= mask_; ++looked) {
      if (slots_[place] == 0) {
        slots_[place] = address;
        return true;
      }
      if (slots_[place] == address) {
        return false;
      }
      place = (place + 1) & mask_;
    }
    return false;
  }

 private:
  // Half of them stay empty.
  static size_t slots(size_t addresses) {
    constexpr size_t kMin = 512;
    size_t count = kMin;
    while (count < 2 * addresses) {
      count *= 2;
    }
    return count;
  }

  uintptr_t* slots_;
  size_t mask_;
};

}  // namespace spillway::profile
