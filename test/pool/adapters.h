// What tests of the pool behind other interfaces have in common.
#pragma once

#include <cstddef>

#include "spillway/pool_config.h"

namespace spillway::pool::testing {

// 4 KiB to 64 KiB, eight of each.
inline PoolConfig small_pool() {
  return PoolConfig().with_sizes(4096, 65536).with_max_per_class(8);
}

struct alignas(4096) Page {
  std::byte bytes[4096];
};

}  // namespace spillway::pool::testing
