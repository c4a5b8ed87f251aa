// SPDX-License-Identifier: MIT
// Tenants: on whose behalf buffers are allocated. What a tenant holds is counted and held against a
// soft limit, which never blocks or refuses anything: allocations made while over it are counted.
// Counted are capacities: a buffer counts for what it takes away from others.
//
// Units: bytes, where nothing else is said.
// Errors: none; usage() throws std::bad_alloc when there is no memory for the name.
// Thread-safety: all members may be called by any thread at any time.
// Cost: an atomic addition for a charge; reading takes nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spillway/abi.h"
#include "spillway/export.h"

namespace spillway {

namespace pool {
struct CInterface;
struct TenantRecord;
}  // namespace pool

inline namespace SPILLWAY_ABI {

// What a tenant holds.
struct TenantUsage {
  std::string name;                        // as it was made with
  uint64_t live_bytes = 0;                 // charged now
  uint64_t soft_limit_bytes = 0;           // what it should stay below
  uint64_t soft_limit_exceeded_total = 0;  // allocations made while over the limit
};

// A tenant of one pool, to be passed to that pool's allocations. A small value; valid as long as
// the pool or a buffer of the tenant lives. Obtained once from Pool::tenant(); a lookup by name
// takes a lock, using it does not: two atomic additions for each allocation and each return.
class SPILLWAY_POOL_API Tenant {
 public:
  // None: not counted.
  Tenant() noexcept = default;

  // Whether it is a tenant.
  explicit operator bool() const noexcept { return record_ != nullptr; }

  // Charges `bytes` of memory that the pool does not know of; at most UINT64_MAX are charged.
  void record_allocation(uint64_t bytes) const noexcept;
  // Ends such a charge of `bytes`; the account stops at zero.
  void record_release(uint64_t bytes) const noexcept;

  // The bytes charged now.
  uint64_t live_bytes() const noexcept;
  // All of it; empty for none.
  TenantUsage usage() const;

 private:
  friend class Pool;
  friend struct pool::CInterface;
  explicit Tenant(pool::TenantRecord* record) noexcept : record_(record) {}
  pool::TenantRecord* record_ = nullptr;
};

}  // namespace SPILLWAY_ABI
}  // namespace spillway
