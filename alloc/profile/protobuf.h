// SPDX-License-Identifier: MIT
// Protocol buffers' wire format, as much as a profile needs: fields of numbers, of bytes, of packed
// numbers and of messages. The same functions write to an output and to a message that is made
// first, since its length stands before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway::profile {

template <typename Bytes>
void put_varint(Bytes& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    to.put(static_cast<uint8_t>(value | 0x80));
  }
  to.put(static_cast<uint8_t>(value));
}

enum class WireType : uint8_t { kVarint = 0, kBytes = 2 };

template <typename Bytes>
void put_tag(Bytes& to, uint32_t field, WireType type) {
  put_varint(to, uint64_t{field} << 3 | static_cast<uint64_t>(type));
}

template <typename Bytes>
void put_number(Bytes& to, uint32_t field, uint64_t value) {
  put_tag(to, field, WireType::kVarint);
  put_varint(to, value);
}

template <typename Bytes>
void put_bytes(Bytes& to, uint32_t field, std::string_view bytes) {
  put_tag(to, field, WireType::kBytes);
  put_varint(to, bytes.size());
  to.put(bytes);
}

constexpr size_t varint_bytes(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) {
    ++bytes;
  }
  return bytes;
}

// `value(i)` is the number i of `count`; asked twice.
template <typename Bytes, typename Value>
void put_packed(Bytes& to, uint32_t field, size_t count, Value value) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    bytes += varint_bytes(value(i));
  }
  put_tag(to, field, WireType::kBytes);
  put_varint(to, bytes);
  for (size_t i = 0; i < count; ++i) {
    put_varint(to, value(i));
  }
}

// A message in the making. What does not fit is left out, and is_whole() false.
template <size_t kCapacity>
class Message {
 public:
  void put(uint8_t byte) {
    if (length_ < kCapacity) {
      bytes_[length_] = static_cast<char>(byte);
    }
    ++length_;
  }
  void put(std::string_view bytes) {
    for (const char byte : bytes) {
      put(static_cast<uint8_t>(byte));
    }
  }
  bool is_whole() const { return length_ <= kCapacity; }
  std::string_view view() const { return {bytes_, is_whole() ? length_ : 0}; }

 private:
  size_t length_ = 0;
  char bytes_[kCapacity];
};

}  // namespace spillway::profile
