// SPDX-License-Identifier: MIT
// What the stress writes into blocks: bytes that follow from a key and their offset, wherever the
// block lies. All of the first page, a word of each other one, and the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace torture {

constexpr size_t kPage = 4096;
constexpr size_t kWord = 8;
constexpr size_t kEnd = 64;

constexpr unsigned char content_byte(uint64_t key, size_t offset) {
  return static_cast<unsigned char>(key + offset * 37 + (offset >> 8) * 11 + (offset >> 20));
}

// Calls `visit(from, to)` for what is written of a block of `size` bytes.
template <typename Visit>
void for_each_part(size_t size, Visit visit) {
  visit(size_t{0}, std::min(size, kPage));
  for (size_t at = kPage; at < size; at += kPage) {
    visit(at, std::min(size, at + kWord));
  }
  if (size > kPage) {
    visit(std::max(kPage, size - kEnd), size);
  }
}

inline void write_contents(void* block, size_t size, uint64_t key) {
  auto* const bytes = static_cast<unsigned char*>(block);
  for_each_part(size, [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) {
      bytes[i] = content_byte(key, i);
    }
  });
}

// Of a block that was written as one of `size` bytes, the first `kept` bytes.
inline bool has_contents(const void* block, size_t size, uint64_t key, size_t kept) {
  const auto* const bytes = static_cast<const unsigned char*>(block);
  bool good = true;
  for_each_part(size, [&](size_t from, size_t to) {
    for (size_t i = from; i < std::min(to, kept); ++i) {
      good = good && bytes[i] == content_byte(key, i);
    }
  });
  return good;
}

// All of a short block; of a longer one what write_contents() would write.
inline bool is_zero(const void* block, size_t size) {
  constexpr size_t kShort = 256 << 10;
  const auto* const bytes = static_cast<const unsigned char*>(block);
  const auto zero = [](unsigned char byte) { return byte == 0; };
  if (size <= kShort) {
    return std::all_of(bytes, bytes + size, zero);
  }
  bool good = true;
  for_each_part(size, [&](size_t from, size_t to) {
    good = good && std::all_of(bytes + from, bytes + to, zero);
  });
  return good;
}

}  // namespace torture
