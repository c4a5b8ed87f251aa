// SPDX-License-Identifier: MIT
// Reads what compilers write into .eh_frame: numbers of fixed and of variable length, and encoded
// pointers. Nothing is checked against an end here: lengths come from the same tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace spillway::profile {

class CfiCursor {
 public:
  explicit CfiCursor(const uint8_t* at) : at_(at) {}

  const uint8_t* position() const { return at_; }
  void skip(uint64_t bytes) { at_ += bytes; }

  template <typename Number>
  Number fixed() {
    Number number;
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return number;
  }

  uint64_t unsigned_leb() {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const uint8_t byte = *at_++;
      value |= shift < 64 ? uint64_t{byte & 0x7fU} << shift : 0;
      if ((byte & 0x80) == 0) {
        return value;
      }
    }
  }

  int64_t signed_leb() {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0;
    do {
      byte = *at_++;
      value |= shift < 64 ? uint64_t{byte & 0x7fU} << shift : 0;
      shift += 7;
    } while ((byte & 0x80) != 0);
    if (shift < 64 && (byte & 0x40) != 0) {
      value |= ~uint64_t{0} << shift;
    }
    return static_cast<int64_t>(value);
  }

  // DW_EH_PE_...: how a number is written, in the low four bits.
  static constexpr uint8_t kOmitted = 0xff;
  static constexpr uint8_t kPcRelative = 0x10;
  static constexpr uint8_t kDataRelative4 = 0x3b;  // from the table's start, four bytes with a sign
  static constexpr uint8_t kFormatMask = 0x0f;

  // False for an encoding that is not known.
  bool encoded(uint8_t encoding, uint64_t& value) {
    const auto here = reinterpret_cast<uint64_t>(at_);
    switch (encoding & kFormatMask) {
      case 0x00:
      case 0x04:
      case 0x0c:
        value = fixed<uint64_t>();
        break;
      case 0x02:
        value = fixed<uint16_t>();
        break;
      case 0x03:
        value = fixed<uint32_t>();
        break;
      case 0x0a:
        value = static_cast<uint64_t>(int64_t{fixed<int16_t>()});
        break;
      case 0x0b:
        value = static_cast<uint64_t>(int64_t{fixed<int32_t>()});
        break;
      case 0x01:
        value = unsigned_leb();
        break;
      case 0x09:
        value = static_cast<uint64_t>(signed_leb());
        break;
      default:
        return false;
    }
    constexpr uint8_t kBaseMask = 0x70;
    const uint8_t base = encoding & kBaseMask;
    if (base == kPcRelative && value != 0) {
      value += here;
    }
    return base == 0 || base == kPcRelative;
  }

 private:
  const uint8_t* at_;
};

}  // namespace spillway::profile
