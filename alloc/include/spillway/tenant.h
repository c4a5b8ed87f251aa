// SPDX-License-Identifier: MIT
// Tenants: on whose behalf buffers are allocated. What a tenant holds is counted and held against a
// soft limit, which never blocks or refuses anything: allocations made while over it are counted.
// Counted are capacities: a buffer counts for what it takes away from others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spillway/export.h"

namespace spillway {

namespace pool {
struct CInterface;
struct TenantRecord;
}  // namespace pool

struct TenantUsage {
  std::string name;
  uint64_t live_bytes = 0;
  uint64_t soft_limit_bytes = 0;
  uint64_t soft_limit_exceeded_total = 0;  // allocations made while over the limit
};

// A tenant of one pool, to be passed to that pool's allocations. A small value; valid as long as
// the pool or a buffer of the tenant lives. Obtained once from Pool::tenant(); a lookup by name
// takes a lock, using it does not: two atomic additions for each allocation and each return.
class SPILLWAY_POOL_API Tenant {
 public:
  // Nobody: not counted.
  Tenant() noexcept = default;

  explicit operator bool() const noexcept { return record_ != nullptr; }

  // For memory that the pool does not know of. A release of more than there is leaves zero, and no
  // allocation makes more than UINT64_MAX of it.
  void record_allocation(uint64_t bytes) const noexcept;
  void record_release(uint64_t bytes) const noexcept;

  uint64_t live_bytes() const noexcept;
  TenantUsage usage() const;

 private:
  friend class Pool;
  friend struct pool::CInterface;
  explicit Tenant(pool::TenantRecord* record) noexcept : record_(record) {}
  pool::TenantRecord* record_ = nullptr;
};

}  // namespace spillway
