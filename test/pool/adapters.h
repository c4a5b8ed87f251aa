// SPDX-License-Identifier: MIT
// What tests of the pool behind other interfaces have in common.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstddef>

#include "spillway/pool.h"
#include "spillway/pool_config.h"
#include "test/pool/fixture.h"

namespace spillway::pool::testing {

// 4 KiB to 64 KiB, eight of each.
inline PoolConfig small_pool() {
  return PoolConfig().with_sizes(4096, 65536).with_max_per_class(8);
}

struct alignas(4096) Page {
  std::byte bytes[4096];
};

// A vector of a thousand sevens behind a pool, which grows past the largest class.
template <typename Vector>
void check_growing(Vector numbers, const Pool& pool, const Tenant& tenant) {
  BOOST_TEST(live_buffers(pool) == 1U);
  BOOST_TEST(tenant.live_bytes() == 4096U);
  for (int i = 0; i < 100'000; ++i) {
    numbers.push_back(i);
  }
  BOOST_TEST(numbers[999] == 7);
  BOOST_TEST(numbers.back() == 99'999);
}

}  // namespace spillway::pool::testing
