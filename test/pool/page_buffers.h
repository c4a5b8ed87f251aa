// SPDX-License-Identifier: MIT
// A pool of byte buffers by pages: each request gets all of a class's buffer, zeroed.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "spillway/pool.h"
#include "test/pool/fixture.h"

namespace spillway::pool::testing {

inline constexpr size_t kLargest = kMiB;

struct PageBuffers {
  explicit PageBuffers(const PoolConfig& config = PoolConfig::page_buffers())
      : created(Pool::create(config)) {
    BOOST_REQUIRE(created.has_value());
  }

  std::vector<Buffer> acquire_many(size_t count, size_t size) {
    std::vector<Buffer> buffers;
    for (size_t i = 0; i < count; ++i) {
      buffers.push_back(pool.acquire(size));
      BOOST_REQUIRE(buffers.back());
    }
    return buffers;
  }
  PoolClassStatistics class_of(size_t size) const {
    for (const PoolClassStatistics& one : pool.statistics().classes) {
      if (one.size == size) {
        return one;
      }
    }
    BOOST_FAIL("no class of this size");
    return {};
  }

  expected<Pool, std::string> created;
  Pool& pool = *created;
};

struct FourOfEach : PageBuffers {
  FourOfEach() : PageBuffers(PoolConfig::page_buffers(4)) {}
};

inline bool is_zero(const Buffer& buffer) { return all_are(buffer.span(), std::byte{0}); }

}  // namespace spillway::pool::testing
