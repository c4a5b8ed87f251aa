// SPDX-License-Identifier: MIT
// A pool's memory as a few contiguous ranges, for what must know memory before it is used:
// io_uring's fixed buffers, RDMA, pinned memory of devices. For pools with PoolConfig::pinned,
// whose memory never goes back while the pool or a buffer lives. A region is added, whole, when a
// buffer in it is allocated for the first time (with prefill: at once) and then stays where it is.
//
// Units: lengths and offsets are bytes.
// Errors, thread-safety, cost: those of plain values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "spillway/abi.h"

namespace spillway {
inline namespace SPILLWAY_ABI {

// One range.
struct Region {
  uint32_t id = 0;            // 0, 1, 2, ... in the order they were added
  std::byte* base = nullptr;  // the first byte
  size_t length = 0;          // bytes, at most 1 GiB
};

// A place in one.
struct RegionOffset {
  uint32_t id = 0;    // of the region
  size_t offset = 0;  // bytes from the region's base
};

}  // namespace SPILLWAY_ABI
}  // namespace spillway
