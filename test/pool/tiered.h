// SPDX-License-Identifier: MIT
// A pool of four classes: 4 KiB, 64 KiB, 1 MiB and 10 MiB, 64 buffers of each.
#pragma once

#include <boost/test/unit_test.hpp>
#include <numeric>
#include <optional>
#include <string_view>
#include <vector>

#include "alloc/base/bits.h"
#include "spillway/pool.h"

namespace spillway::pool::testing {

inline constexpr size_t kSmall = 4 * kKiB;
inline constexpr size_t kMedium = 64 * kKiB;
inline constexpr size_t kLarge = kMiB;
inline constexpr size_t kHuge = 10 * kMiB;

struct Tiered {
  explicit Tiered(const PoolConfig& config = PoolConfig::tiered()) : created(Pool::create(config)) {
    BOOST_REQUIRE(created.has_value());
  }

  PoolClassStatistics class_named(std::string_view name) const {
    for (const PoolClassStatistics& one : pool.statistics().classes) {
      if (one.name == name) {
        return one;
      }
    }
    BOOST_FAIL("no class of this name");
    return {};
  }
  std::vector<Buffer> alloc_many(size_t count, size_t size, Tenant tenant = {}) {
    std::vector<Buffer> buffers;
    for (size_t i = 0; i < count; ++i) {
      buffers.push_back(pool.alloc(size, tenant));
      BOOST_REQUIRE(buffers.back());
    }
    return buffers;
  }
  // As the snapshot has it.
  TenantUsage usage_of(std::string_view name) const {
    std::optional<TenantUsage> found;
    for (const TenantUsage& usage : pool.statistics().tenants) {
      if (usage.name == name) {
        BOOST_TEST(!found.has_value());
        found = usage;
      }
    }
    BOOST_REQUIRE(found.has_value());
    return *found;
  }
  uint64_t exceeded(std::string_view name) const {
    return usage_of(name).soft_limit_exceeded_total;
  }
  // What all tenants hold, after a check that the total says the same.
  uint64_t live_bytes() const {
    const PoolStatistics statistics = pool.statistics();
    const uint64_t sum = std::accumulate(
        statistics.tenants.begin(), statistics.tenants.end(), uint64_t{0},
        [](uint64_t before, const TenantUsage& usage) { return before + usage.live_bytes; });
    BOOST_TEST(statistics.live_bytes == sum);
    return sum;
  }

  expected<Pool, std::string> created;
  Pool& pool = *created;
};

}  // namespace spillway::pool::testing
