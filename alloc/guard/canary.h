// SPDX-License-Identifier: MIT
// The bytes around a block: a secret that depends on the address, from a key of the process's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace spillway::guard {

// Calls `visit(byte*, secret, bytes of it)` for each word in [start, end), or the part of it that
// is in there.
template <typename Visit>
inline void for_each_canary(uintptr_t start, uintptr_t end, uint64_t key, Visit visit) {
  constexpr size_t kWord = sizeof(uint64_t);
  // Another secret for each address.
  const auto secret_of = [key](uintptr_t word) { return (key ^ word) * 0x9e3779b97f4a7c15U; };
  while (start < end) {
    const size_t inside = start % kWord;
    const size_t left = end - start;
    auto* const at = reinterpret_cast<std::byte*>(start);
    if (inside == 0 && left >= kWord) {
      visit(at, secret_of(start), kWord);
      start += kWord;
      continue;
    }
    const size_t count = left < kWord - inside ? left : kWord - inside;
    visit(at, secret_of(start - inside) >> (8 * inside), count);
    start += count;
  }
}

inline void write_canary(uintptr_t start, uintptr_t end, uint64_t key) {
  for_each_canary(start, end, key, [](std::byte* at, uint64_t secret, size_t count) {
    if (count == sizeof secret) {
      std::memcpy(at, &secret, sizeof secret);
    } else {
      std::memcpy(at, &secret, count);
    }
  });
}

inline bool is_canary_whole(uintptr_t start, uintptr_t end, uint64_t key) {
  uint64_t different = 0;
  for_each_canary(start, end, key, [&](const std::byte* at, uint64_t secret, size_t count) {
    uint64_t found = 0;
    if (count == sizeof found) {
      std::memcpy(&found, at, sizeof found);
      different |= found ^ secret;
    } else {
      std::memcpy(&found, at, count);
      different |= (found ^ secret) & ((uint64_t{1} << 8 * count) - 1);
    }
  });
  return different == 0;
}

}  // namespace spillway::guard
