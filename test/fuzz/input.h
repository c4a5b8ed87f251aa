// SPDX-License-Identifier: MIT
// The bytes of an input, taken from the front; zeros when there are no more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}

  bool done() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) {
      return 0;
    }
    const uint8_t front = rest_.front();
    rest_ = rest_.subspan(1);
    return front;
  }
  uint32_t number(uint32_t below) { return (uint32_t{byte()} << 8 | byte()) % below; }
  std::span<const uint8_t> rest() const { return rest_; }

 private:
  std::span<const uint8_t> rest_;
};

}  // namespace fuzz
