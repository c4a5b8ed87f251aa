// SPDX-License-Identifier: MIT
// Numbers of few bytes when they are small: seven bits a byte, lowest first, the last byte below
// 128.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bench/trace/format.h"

namespace bench::trace {

inline void put_number(std::vector<std::uint8_t>& bytes, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) {
    bytes.push_back(static_cast<std::uint8_t>(number | 0x80));
  }
  bytes.push_back(static_cast<std::uint8_t>(number));
}

// Reads from the front; throws BadTrace where there is not enough.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }

  std::uint8_t byte() { return bytes(1).front(); }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7FU} << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw BadTrace("damaged: a number is too long");
  }

  std::span<const std::uint8_t> bytes(std::uint64_t count) {
    if (count > rest_.size()) {
      throw BadTrace("damaged: it ends too early");
    }
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace bench::trace
