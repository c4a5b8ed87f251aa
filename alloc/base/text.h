// SPDX-License-Identifier: MIT
// Parts of a string, clamped to its length: unlike substr() they cannot fail, and so need nothing
// of the C++ run-time library.
#pragma once

#include <cstddef>
#include <string_view>

namespace spillway {

constexpr std::string_view first_part(std::string_view text, size_t length) {
  return {text.data(), length < text.size() ? length : text.size()};
}

constexpr std::string_view rest_from(std::string_view text, size_t position) {
  const size_t start = position < text.size() ? position : text.size();
  return {text.data() + start, text.size() - start};
}

// Splits `text` at the first `separator`: what stands before it is returned, what comes after
// stays. Without a separator everything is returned.
constexpr std::string_view take_until(std::string_view& text, char separator) {
  size_t length = 0;
  while (length < text.size() && text[length] != separator) {
    ++length;
  }
  const std::string_view part = first_part(text, length);
  text = rest_from(text, length + 1);
  return part;
}

}  // namespace spillway
