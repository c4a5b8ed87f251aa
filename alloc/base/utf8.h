// SPDX-License-Identifier: MIT
// Text of unknown origin as UTF-8, which JSON and Prometheus want: what is no character becomes
// U+FFFD, a byte at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway {

inline constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";

// Bytes of the character that `text` begins with; 0: none, or no shortest form, or a surrogate.
constexpr size_t utf8_length(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  if (text.empty()) {
    return 0;
  }
  const uint8_t first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  const size_t length = first < 0xc2   ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  uint32_t character = first & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return 0;
    }
    character = character << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kMin[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  return character < kMin[length] || character > 0x10ffff || surrogate ? 0 : length;
}

// Calls `put(std::string_view)` for each character, in order.
template <typename Put>
constexpr void for_each_character(std::string_view text, Put put) {
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    put(length != 0 ? text.substr(0, length) : kReplacementCharacter);
    text.remove_prefix(length != 0 ? length : 1);
  }
}

}  // namespace spillway
