// SPDX-License-Identifier: MIT
// A pool's record of a block, beside the state byte. That of a pooled one is kept out of the block,
// in a table by granule; an unpooled one has it in front.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "spillway/buffer.h"

namespace spillway::pool {

// Valid while the block is shared, or held as a RawBuffer.
struct Record {
  std::atomic<uint32_t> owners{0};
  TenantRecord* tenant = nullptr;
};

// In front of an unpooled block, in the same piece of the system's heap.
struct alignas(std::max_align_t) Unpooled {
  static constexpr uint32_t kLive = 0x5b10cca1;
  static constexpr uint32_t kDead = 0xdeadb10c;

  Record record;
  void* allocation;
  size_t capacity;
  std::atomic<uint32_t> mark;

  static Unpooled& of(std::byte* start) {
    return *reinterpret_cast<Unpooled*>(start - sizeof(Unpooled));
  }
};
static_assert(sizeof(Unpooled) % alignof(std::max_align_t) == 0);

}  // namespace spillway::pool
