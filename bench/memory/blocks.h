// SPDX-License-Identifier: MIT
// Blocks that are used as programs use them: every page of one is written. Nothing here allocates
// but the block itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "bench/sizes.h"

namespace bench {

constexpr std::size_t kPage = 4 * kKiB;  // where pages are larger, each is written several times

// A null block would make an allocator look fast and small: it ends the program.
inline void* checked(void* block) {
  if (block == nullptr) [[unlikely]] {
    std::fputs("bench_memory: out of memory\n", stderr);
    std::_Exit(1);
  }
  return block;
}

// One word in each page from `from` on, and the last byte: a block need not start at a page.
inline void touch_pages(void* block, std::size_t size, std::size_t from = 0) {
  auto* const words = static_cast<volatile std::uintptr_t*>(block);
  for (std::size_t offset = from; offset + sizeof(std::uintptr_t) <= size; offset += kPage) {
    words[offset / sizeof(std::uintptr_t)] = offset;
  }
  static_cast<volatile unsigned char*>(block)[size - 1] = 1;
}

inline void* touched_block(std::size_t size) {
  void* const block = checked(std::malloc(size));
  touch_pages(block, size);
  return block;
}

inline void free_all(std::span<void* const> blocks) {
  for (void* block : blocks) {
    std::free(block);
  }
}

}  // namespace bench
