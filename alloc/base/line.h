// SPDX-License-Identifier: MIT
// Text in a fixed buffer: numbers and strings are appended, what does not fit is cut. No heap, no
// locale, no libc: usable inside malloc, before main and in a signal handler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway {

template <size_t kCapacity>
class Line {
 public:
  Line& text(std::string_view piece) {
    for (const char c : piece) {
      put(c);
    }
    return *this;
  }
  // Text of unknown origin: what is not printable ASCII becomes '?', so that a line stays one line.
  Line& quoted(std::string_view piece) {
    put('\'');
    for (const char c : piece) {
      put(c >= ' ' && c < 0x7f ? c : '?');  // whether char has a sign or not
    }
    return put('\'');
  }
  Line& put(char c) {
    if (length_ < kCapacity) {
      buffer_[length_++] = c;
    }
    return *this;
  }
  Line& number(uint64_t value) { return digits(value, 10); }
  Line& signed_number(int64_t value) {
    if (value < 0) {
      put('-');
      return digits(uint64_t{0} - static_cast<uint64_t>(value), 10);
    }
    return digits(static_cast<uint64_t>(value), 10);
  }
  Line& address(const void* pointer) {
    text("0x");
    return digits(reinterpret_cast<uintptr_t>(pointer), 16);
  }
  Line& spaces_up_to(size_t column) {
    while (length_ < column && length_ < kCapacity) {
      put(' ');
    }
    return *this;
  }

  // Ends the line, at the cost of the last character of a full buffer.
  Line& end() {
    length_ -= length_ == kCapacity ? 1 : 0;
    return put('\n');
  }

  std::string_view view() const { return {buffer_, length_}; }
  // For calls that want a C string; cuts the last character of a full buffer.
  const char* c_str() {
    buffer_[length_ < kCapacity ? length_ : kCapacity - 1] = '\0';
    return buffer_;
  }
  void clear() { length_ = 0; }

 private:
  Line& digits(uint64_t value, unsigned base) {
    char reversed[20];
    size_t count = 0;
    do {
      reversed[count++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    while (count > 0) {
      put(reversed[--count]);
    }
    return *this;
  }

  size_t length_ = 0;
  char buffer_[kCapacity];
};

}  // namespace spillway
